import CCurl
import MemoryEngine

/// The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date in one of HTTP's three forms.
enum RetryAfter {
    /// A server that wants more means "not today"; nobody waits so long for it.
    private static let longest = 1_000_000_000

    /// How long to wait from `now` on; `nil` where it says neither. A date that has passed is no wait.
    static func parse(_ text: String, now: Timestamp) -> Duration? {
        if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            guard !text.isEmpty else { return nil }
            return .seconds(min(Self.longest, Int(text) ?? Self.longest))
        }
        // A date has a time of day, in which numbers alone have none. Safe because libcurl only reads the text.
        guard text.contains(":"), case let seconds = unsafe curl_getdate(text, nil), seconds >= 0 else {
            return nil
        }
        let wait = Int64(seconds) - now.microseconds / 1_000_000
        return .seconds(min(Int64(Self.longest), max(0, wait)))
    }
}
