import Foundation
import Store

/// How many calls an engine works on. While they can keep all cores busy, its indexers wait.
final class CallerGauge: Sendable {
    private let count = Mutex(0)
    private let coreCount = ProcessInfo.processInfo.activeProcessorCount

    func enter() { count.withLock { $0 += 1 } }
    func leave() { count.withLock { $0 -= 1 } }

    var keepCoresBusy: Bool { count.withLock { $0 } >= coreCount }
}
