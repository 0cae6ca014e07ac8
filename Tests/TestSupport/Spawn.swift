import Foundation
import Glibc

/// A program in a process of its own.
///
/// Not by Foundation's `Process`, which (6.3.1) copies entries of the list of open files beyond the end of its buffer;
/// among more than a thousand of them, as all tests together open, that is a crash now and then.
public struct Spawn: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let program: String
    private let number: pid_t

    /// Begins a program.
    ///
    /// - Parameters:
    ///   - program: its path, or a name that is looked up by `PATH`.
    ///   - files: where standard input is read from, and where output and errors go; they are there, or are made.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String], folder: String,
        files: (input: String, output: String, errors: String)
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, files.input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, files.output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, files.errors, O_WRONLY | O_CREAT, 0o600)

        // Sockets of a server in this process would stay open for as long as the program runs, and who waits for one to be
        // closed might wait for ever.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let file = Int32(name), file > 2 { posix_spawn_file_actions_addclose(&actions, file) }
        }

        // Threads of tasks block signals, and the program is to get them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let launcher = "/usr/bin/env"
        var argv = ([launcher, "-C", folder, program] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var child: pid_t = 0
        let refusal = posix_spawn(&child, launcher, &actions, &attributes, &argv, &envp)
        guard refusal == 0 else {
            throw Failure(description: "\(program) cannot be run: \(String(cString: strerror(refusal)))")
        }
        self.program = program
        number = child
    }

    /// Sends it a signal. It must not have been waited for.
    public func signal(_ signal: Int32) { kill(number, signal) }

    /// Waits for its end; once only.
    ///
    /// - Returns: the status that it ended with, or the number of the signal that ended it.
    public func wait() throws -> Int32 {
        var status: Int32 = 0
        while waitpid(number, &status, 0) < 0 {
            guard errno == EINTR else {
                throw Failure(description: "\(program): \(String(cString: strerror(errno)))")
            }
        }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : signal
    }

    /// Runs a program to its end, and gives the status.
    public static func run(
        _ program: String, _ arguments: [String], environment: [String: String], folder: String,
        files: (input: String, output: String, errors: String)
    ) throws -> Int32 {
        try Spawn(program, arguments, environment: environment, folder: folder, files: files).wait()
    }
}
