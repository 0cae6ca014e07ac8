/// What may be asked of the vector sets of a home: names of sets and of elements are bytes, as a client gives them.
///
/// A vector set is a name with elements, and each element has a vector and may have an attribute, which is opaque here. The
/// sets of a tenant lie in one home (`Namespace.vectorSets`), beside which nothing else does, so that commands on several of
/// them are one transaction.
package enum VectorSetCommand: Sendable {
    /// Adds an element, or gives one another vector. The set is made with its first element.
    case add(VectorSetAddition)
    /// Takes an element out; the set goes with its last one.
    case remove(set: [UInt8], element: [UInt8])
    /// Sets the attribute of an element; an empty one takes it away.
    case setAttribute(set: [UInt8], element: [UInt8], [UInt8])
    /// Takes sets away.
    case delete([[UInt8]])
    /// Takes all sets away.
    case deleteAll

    case search(VectorSetSearch)
    case describe(set: [UInt8])
    case vector(set: [UInt8], element: [UInt8])
    case attribute(set: [UInt8], element: [UInt8])
    case contains(set: [UInt8], element: [UInt8])
    /// Neighbors in the graph.
    case links(set: [UInt8], element: [UInt8])
    /// Elements by chance: `count` different ones, or |`count`| with repetitions; `nil` = one.
    case sample(set: [UInt8], count: Int?)
    /// Elements in the order of their bytes.
    case range(set: [UInt8], from: VectorSetBound, until: VectorSetBound, limit: Int)
    /// How many of these sets there are, each counted as often as it is named.
    case count([[UInt8]])
    case names
    /// Names of sets by their ids, from one on.
    case page(from: Int, limit: Int)
    /// A digest of what the set holds, whatever the order in which it came.
    case digest(set: [UInt8])

    /// Whether it changes nothing.
    package var isRead: Bool {
        switch self {
        case .add, .remove, .setAttribute, .delete, .deleteAll: false
        default: true
        }
    }
}

/// How the vectors of a set are told. They are kept as 32-bit floats whatever it says, and compared by them.
package enum VectorSetQuantization: UInt8, Sendable, CaseIterable {
    case none = 0
    /// Bytes.
    case int8 = 1
    /// Signs.
    case binary = 2
}

package struct VectorSetAddition: Sendable {
    package var set: [UInt8]
    package var element: [UInt8]
    package var vector: [Float]
    /// Vectors are brought to so many dimensions by a random projection; `nil` = they are kept as they are.
    package var reducedDimension: Int?
    package var quantization = VectorSetQuantization.int8
    /// Links of an element in each layer of the graph.
    package var m = 16
    /// `nil` = what the element has stays.
    package var attribute: [UInt8]?

    package static let maximumDimension = 65_536
    package static let allowedM = 4...4_096

    package init(set: [UInt8], element: [UInt8], vector: [Float]) {
        self.set = set
        self.element = element
        self.vector = vector
    }
}

package struct VectorSetSearch: Sendable {
    package enum Query: Sendable {
        case vector([Float])
        case element([UInt8])
    }

    package var set: [UInt8]
    package var query: Query
    package var count = 10
    /// Candidates of the walk; `nil` = as the index has it.
    package var ef: Int?
    /// The lowest score that counts.
    package var leastScore = 0.0
    /// Whether an element with this attribute may be an answer.
    package var filter: (@Sendable ([UInt8]) -> Bool)?
    /// The most candidates whose attributes are looked at; `nil` = 100 for each answer.
    package var filterEf: Int?
    /// Compares all elements.
    package var isExact = false
    package var wantsAttributes = false

    package init(set: [UInt8], query: Query) {
        self.set = set
        self.query = query
    }
}

/// An end of a range of elements.
package enum VectorSetBound: Sendable, Equatable {
    case least
    case greatest
    case including([UInt8])
    case excluding([UInt8])
}

/// What a command gives.
package enum VectorSetAnswer: Sendable {
    /// Whether anything was added, removed or found.
    case flag(Bool)
    case number(Int)
    case names([[UInt8]])
    /// `next` is where to go on; 0 = nowhere.
    case page([[UInt8]], next: Int)
    /// `nil` = there is no set.
    case matches([VectorSetMatch]?)
    case description(VectorSetDescription?)
    case vector(StoredVector?)
    case bytes([UInt8]?)
    /// Layers, the highest first.
    case links([[VectorSetMatch]]?)
    /// A name by chance; `nil` = there is no set.
    case name([UInt8]?)
}

package struct VectorSetMatch: Sendable, Equatable {
    package let element: [UInt8]
    /// (1 + cosine) / 2.
    package let score: Double
    package let attribute: [UInt8]?
}

package struct VectorSetDescription: Sendable, Equatable {
    package var quantization: VectorSetQuantization
    package var m: Int
    package var dimension: Int
    /// The dimension that vectors are given in; 0 where they are kept as they are.
    package var inputDimension: Int
    package var count: Int
    package var topLevel: Int
    package var attributeCount: Int
    /// Never given to another set of the home.
    package var id: Int
    /// The number of the last vector that was added.
    package var lastVector: Int
    /// About so many bytes are its own.
    package var byteCount: Int
}

package struct StoredVector: Sendable, Equatable {
    /// As it was given, or as it was projected.
    package let vector: [Float]
    package let quantization: VectorSetQuantization
}

/// Why a command of vector sets is refused.
package enum VectorSetError: Error, Sendable, Equatable {
    case noSuchElement
    case dimension(given: Int, of: Int)
    case inputDimension(given: Int, of: Int)
    case quantization
    case m
    case notProjected
    /// A name, an attribute or a vector that is beyond a bound, or no vector; the message says which.
    case invalid(String)
}
