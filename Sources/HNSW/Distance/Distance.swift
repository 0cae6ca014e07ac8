import CKernels

/// What the index knows of a vector: whether it may be stored, the number kept beside it, and how an
/// inner product becomes a score.
///
/// A vector is 32-bit floats, little-endian. All three metrics are computed from inner products, so that
/// one kernel serves them all; what else a metric needs of a vector is its *auxiliary*, one float that
/// is computed when the vector is stored. Squared norms and auxiliaries are the same to the last bit on
/// every machine. Inner products are not: each kind of processor adds up in an order of its own.
///
/// This folder is the only one that calls the C kernels and BLAS (`Distance+Scan`, `Distance+Batch`).
package enum Distance {
    /// The largest squared norm of a vector that may be stored: a norm of about 6.5e18. By the
    /// Cauchy-Schwarz inequality no inner product is larger, and no squared distance is larger than four
    /// times that, 2^127, so that every score is a finite 32-bit float.
    package static let largestSquaredNorm: Double = 0x1p125

    /// The smallest squared norm of a vector that is compared by cosine: a norm of about 1.1e-19. Below
    /// it, inner products underflow, and the direction is lost.
    package static let smallestSquaredNorm: Double = 0x1p-126

    /// Checks that a vector can be stored and searched for.
    ///
    /// - Throws: `VectorError` for a wrong dimension, a component that is not a number or infinite (with
    ///   its index), a norm that is too large and, for cosine, a norm of zero.
    /// - Complexity: O(dimension); about 60 ns for 1,024 components.
    package static func check(
        _ vector: borrowing Span<Float>, dimension: Int, metric: Metric
    ) throws(VectorError) {
        precondition(dimension > 0, "a space of dimension \(dimension)")
        guard vector.count == dimension else {
            throw VectorError(
                code: .wrongDimension,
                message: "The vector has \(vector.count) components; its space has \(dimension).")
        }
        guard isFinite(vector) else { throw nonfiniteComponent(of: vector) }
        let squaredNorm = squaredNorm(of: vector)
        if squaredNorm > largestSquaredNorm {
            throw VectorError(
                code: .normTooLarge,
                message: """
                    The vector's norm is \(Float(squaredNorm.squareRoot())); \
                    it may be at most \(Float(largestSquaredNorm.squareRoot())).
                    """)
        }
        if metric == .cosine && squaredNorm < smallestSquaredNorm {
            let norm = squaredNorm == 0 ? "zero" : "\(squaredNorm.squareRoot()), which is too near zero"
            throw VectorError(
                code: .zeroNorm,
                message: "The vector's norm is \(norm): it has no direction to compare by cosine.")
        }
    }

    /// Checks that a vector can be stored and searched for, as the form over a span does.
    package static func check(_ vector: [Float], dimension: Int, metric: Metric) throws(VectorError) {
        try check(vector.span, dimension: dimension, metric: metric)
    }

    /// The number that is kept beside a vector: for cosine one divided by its norm, for L2 its squared
    /// norm, for the inner product 1.
    ///
    /// - Precondition: the vector has passed `check`.
    /// - Complexity: O(dimension).
    package static func auxiliary(of vector: borrowing Span<Float>, metric: Metric) -> Float {
        switch metric {
        case .cosine: Float(1 / squaredNorm(of: vector).squareRoot())
        case .innerProduct: 1
        case .l2: Float(squaredNorm(of: vector))
        }
    }

    /// The number that is kept beside a vector, as the form over a span gives it.
    package static func auxiliary(of vector: [Float], metric: Metric) -> Float {
        auxiliary(of: vector.span, metric: metric)
    }

    /// The score of a row for a query, from their inner product and their auxiliaries. The larger, the
    /// more alike: the cosine (from -1 to 1), the inner product, or the negative squared distance (at
    /// most 0).
    ///
    /// The squared distance is taken as two differences, each exact where the vectors are close to each
    /// other, rather than as |q|² + |v|² - 2 dot, which rounds before it cancels. What error remains is
    /// that of the inner product, some 1e-7 of the squared norms.
    @inline(__always)
    package static func score(
        dot: Float, auxiliary: Float, queryAuxiliary: Float, metric: Metric
    ) -> Float {
        switch metric {
        case .cosine: max(-1, min(1, dot * auxiliary * queryAuxiliary))
        case .innerProduct: dot
        case .l2: min(0, (dot - queryAuxiliary) + (dot - auxiliary))
        }
    }

    /// The sum of the squares of the components, in 64-bit floats; the same bits on every machine.
    ///
    /// - Precondition: `vector` is a whole number of 32-bit floats, at any alignment.
    /// - Complexity: O(dimension).
    package static func squaredNorm(of vector: borrowing RawSpan) -> Double {
        precondition(vector.byteCount.isMultiple(of: 4), "a vector of \(vector.byteCount) bytes")
        // Safe because the kernel reads `count` floats, at any alignment, and keeps no pointer.
        return unsafe vector.withUnsafeBytes { bytes in
            unsafe kernels_squared_norm_f32(floats(bytes), bytes.count / 4)
        }
    }

    /// The sum of the squares of the components, as the form over bytes gives it.
    package static func squaredNorm(of vector: borrowing Span<Float>) -> Double {
        // Safe because the kernel reads `count` floats and keeps no pointer.
        unsafe vector.withUnsafeBufferPointer { floats in
            unsafe kernels_squared_norm_f32(floats.baseAddress, floats.count)
        }
    }

    /// Bytes as the kernels take them. They read at any alignment, so none is required here.
    @inline(__always)
    static func floats(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<Float>? {
        // Safe because only C dereferences it, by loads that need no alignment.
        unsafe bytes.baseAddress?.assumingMemoryBound(to: Float.self)
    }

    private static func isFinite(_ vector: borrowing Span<Float>) -> Bool {
        // Safe because the kernel reads `count` floats and keeps no pointer.
        unsafe vector.withUnsafeBufferPointer { floats in
            unsafe kernels_all_finite_f32(floats.baseAddress, floats.count) != 0
        }
    }

    /// The error for the first component that is not finite.
    private static func nonfiniteComponent(of vector: borrowing Span<Float>) -> VectorError {
        var index = 0
        while vector[index].isFinite { index += 1 }
        return vector[index].isNaN
            ? VectorError(code: .notANumber, message: "Component \(index) of the vector is not a number.")
            : VectorError(code: .infinite, message: "Component \(index) of the vector is infinite.")
    }
}
