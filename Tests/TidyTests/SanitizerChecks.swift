/// Lines with what would make ThreadSanitizer report races that are none, or fail, so that nobody saw those that
/// are real.
func complaintsAboutSanitizers(in files: [SourceFile]) -> [String] {
    // Atomics may be imported, each by its name.
    let mutexImport =
        #/
        \bimport\s+ (?: (?:\w+\s+)? `?Synchronization`?\.`?Mutex\b | `?Synchronization\b(?!`?\.) )
        /#.wordBoundaryKind(.simple)
    let emptyGenerator = #/\bSystemRandomNumberGenerator\b/#.wordBoundaryKind(.simple)
    var complaints: [String] = []
    // The examples are a package of their own, which does not see the store.
    for file in files where file.pathExtension == "swift" && !file.path.hasPrefix("Examples/") {
        for (index, line) in codeLines(of: file).enumerated() {
            let place = "\(file.path):\(index + 1)"
            if line.contains(mutexImport) {
                complaints.append(
                    "\(place): ThreadSanitizer does not see the lock of Synchronization.Mutex; use the one in Store, and "
                        + "import atomics by name")
            }
            if file.target != nil, line.contains(emptyGenerator) {
                complaints.append(
                    "\(place): SystemRandomNumberGenerator has no bytes, and ThreadSanitizer fails where it is handed on; "
                        + "call `random(in:)` without one")
            }
        }
    }
    return complaints
}
