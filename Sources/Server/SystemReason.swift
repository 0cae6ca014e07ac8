import Foundation
import NIOCore

/// What the system says of a failure, in a few words.
package enum SystemReason {
    /// Of a code of `errno`.
    package static func text(_ code: Int32) -> String {
        plain(NSError(domain: NSPOSIXErrorDomain, code: Int(code)).localizedDescription)
    }

    package static func text(_ error: any Error) -> String {
        if let error = error as? IOError { return text(error.errnoCode) }
        let error = error as NSError
        if let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError, cause.domain == NSPOSIXErrorDomain {
            return text(Int32(truncatingIfNeeded: cause.code))
        }
        return plain(error.localizedDescription)
    }

    /// Without the sentence that Foundation puts before it.
    private static func plain(_ text: String) -> String {
        let common = "The operation could not be completed. "
        return text.hasPrefix(common) ? String(text.dropFirst(common.count)) : text
    }
}
