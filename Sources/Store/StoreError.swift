/// Why the store refused. Switch on `code`; show `message`.
package struct StoreError: Error, CustomStringConvertible, Sendable {
    package enum Code: String, Sendable {
        /// The home's quota (its reserved map) is reached. Raise it and open the home again.
        case full
        /// The disk, or the size limit on files, is reached. Free some space and try again.
        case diskFull
        /// The file is damaged. Stop, run `check`, and restore a snapshot.
        case corrupted
        /// The file is not one of ours, or of a format newer than this program.
        case foreign
        /// Another process writes to this home. Wait for it, or open for reading.
        case locked
        /// The home was opened for reading only.
        case readOnly
        /// There is no such file.
        case missing
        /// A read has held its snapshot longer than allowed.
        case snapshotTooOld
        /// Too many snapshots are held at once.
        case tooManyReaders
        /// The caller gave something that the store cannot hold (a key too long, say).
        case invalid
        /// The operating system refused. Retrying may help.
        case io
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
