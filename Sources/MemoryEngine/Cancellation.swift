import struct Synchronization.Atomic

/// Is set once, by any thread; what runs outside of tasks looks at it.
final class CancellationFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

/// Runs work with a flag that is set when the task is cancelled; then it throws, whatever the work gave.
func cancellable<Result: Sendable>(_ work: (CancellationFlag) async throws -> Result) async throws -> Result {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
        let result = try await work(flag)
        try Task.checkCancellation()
        return result
    } onCancel: {
        flag.set()
    }
}
