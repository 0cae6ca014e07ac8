/// Where an endpoint is, and the key for it.
struct RunPodAddress {
    /// Without a slash at its end.
    let url: String
    /// How errors call it.
    let name: String
    let credential: HTTPCredential?

    /// - Parameters:
    ///   - endpoint: an id such as `abc123`, or an URL.
    ///   - url: makes an URL of an id.
    /// - Throws: `RunPodError` with code `invalid`. It shows neither what looks like a key nor what has the key in it.
    init(_ endpoint: String, key: String?, url: (String) -> String) throws {
        do {
            credential = try key.map(HTTPCredential.bearer)
        } catch let error as HTTPError {
            throw RunPodError(.invalid, error.message)
        }
        // RunPod's keys begin so.
        guard !endpoint.hasPrefix("rpa_"), key.map({ !endpoint.contains($0) }) ?? true else {
            throw RunPodError(
                .invalid, "a key stands where the id of a RunPod endpoint should; give it as the key")
        }
        if endpoint.contains("://") {
            let end = endpoint.lastIndex { $0 != "/" }
            self.url = end.map { String(endpoint[...$0]) } ?? endpoint
        } else {
            let isID =
                (1...100).contains(endpoint.utf8.count)
                && endpoint.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
            guard isID else {
                throw RunPodError(
                    .invalid,
                    "\(endpoint.prefix(100).debugDescription) is no id of a RunPod endpoint, and no URL; an id has letters and "
                        + "digits only")
            }
            self.url = url(endpoint)
        }
        name = endpoint
        do {
            try HTTPRequest.check(base: self.url)
            // Refuses what no request could be made of.
            _ = try HTTPRequest(.post, self.url, credential: credential)
        } catch let error as HTTPError {
            throw RunPodError(.invalid, error.message)
        }
    }
}
