/// Why a vector was refused. Switch on `code`; show `message`.
package struct VectorError: Error, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// It has not as many components as its space. Ask the space's own model for it.
        case wrongDimension
        /// A component is not a number. The model failed.
        case notANumber
        /// A component is infinite. The model failed.
        case infinite
        /// Its norm is zero, or so near zero that it has no direction, and the metric is cosine.
        case zeroNorm
        /// Its norm is so large that scores would overflow. Scale the vectors of the space.
        case normTooLarge
    }

    package let code: Code
    package let message: String

    package var description: String { message }
}
