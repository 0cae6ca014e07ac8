import CCurl
import Foundation
import Glibc
import MemoryEngine

/// The thread that drives transfers, all at once, by libcurl's multi interface.
///
/// Other threads only put commands into a list and wake it up; everything else of libcurl happens on it.
@safe
final class CurlLoop: @unchecked Sendable {
    private enum Command {
        case start(CurlTransfer)
        case end(CurlTransfer)
        case stop
    }

    // Safe because it is made in `init`, used by the thread alone but for waking it up, which any thread may do, and
    // freed by the thread after it has taken `stop`. Waking up is done while the list is locked, so it is over by then.
    private let multi: UnsafeMutableRawPointer
    private let commands = Mutex<[Command]>([])

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// How many connections stay open for later requests.
    private static let keptConnectionCount = 32
    /// How many are open at once; what is more waits for one.
    private static let connectionCount = 128

    init() throws {
        guard Self.isReady, let multi = unsafe curl_multi_init() else {
            throw HTTPError(.connection, "libcurl cannot be started")
        }
        unsafe self.multi = multi
        _ = unsafe curl_set_multi_number(multi, CURLMOPT_MAXCONNECTS, Self.keptConnectionCount)
        _ = unsafe curl_set_multi_number(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, Self.connectionCount)
        let thread = Thread { [self] in run() }
        thread.name = "loci.http"
        thread.start()
    }

    func start(_ transfer: CurlTransfer) { post(.start(transfer)) }

    /// Lets a transfer go whose reply nobody waits for.
    func end(_ transfer: CurlTransfer) { post(.end(transfer)) }

    /// Ends the thread. Nothing may be posted afterwards.
    func stop() { post(.stop) }

    private func post(_ command: Command) {
        commands.withLock {
            $0.append(command)
            _ = unsafe curl_multi_wakeup(multi)
        }
    }

    private func run() {
        // libcurl writes to sockets that the other side may have closed, and must not end the process by that.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)

        // By the address of its handle.
        var running: [Int: CurlTransfer] = [:]
        while true {
            for command in takeCommands() {
                switch command {
                case .start(let transfer):
                    if let handle = unsafe transfer.begin(in: multi) { running[handle] = transfer }
                case .end(let transfer):
                    if let handle = unsafe transfer.end(in: multi) { running[handle] = nil }
                case .stop:
                    for transfer in running.values { _ = unsafe transfer.end(in: multi) }
                    _ = unsafe curl_multi_cleanup(multi)
                    return
                }
            }
            var runningCount: Int32 = 0
            _ = unsafe curl_multi_perform(multi, &runningCount)
            var leftCount: Int32 = 0
            while let message = unsafe curl_multi_info_read(multi, &leftCount) {
                // Safe because a message lives until libcurl is called again, and has the result when it says `DONE`.
                guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
                let (handle, result) = unsafe (message.pointee.easy_handle, message.pointee.data.result)
                let transfer = running.removeValue(forKey: Int(bitPattern: handle))
                transfer?.finish(result)
                _ = unsafe transfer?.end(in: multi)
            }
            // Until a socket is ready, a time is up, or somebody posts.
            _ = unsafe curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
    }

    private func takeCommands() -> [Command] {
        commands.withLock { commands in
            defer { commands.removeAll() }
            return commands
        }
    }
}
