import MemoryEngine

extension JSONWriter {
    /// What a recall went by in a home, and what each channel said of each hit.
    mutating func write(_ home: RecallExplanation) {
        beginObject()
        member("home", home.home.description)
        member("passages", home.passageCount)
        member("eligible", home.eligibleCount)
        member("candidates", home.candidateCount)
        objects("words", home.words) { json, word in
            json.member("word", word.text)
            json.member("weight", word.weight)
            json.member("isSynonym", word.isSynonym)
        }
        list("actors", home.actors) { $0.write($1) }
        objects("times", home.times) { $0.interval($1) }
        member("isTuned", home.isTuned)
        object("weights") { json in
            for (name, path) in RecallWeights.names { json.member(name, home.weights[keyPath: path]) }
        }
        objects("channels", home.channels) { json, channel in
            json.member("name", channel.name)
            json.member("mean", channel.mean)
            json.member("deviation", channel.deviation)
            json.member("share", channel.share)
            json.member("found", channel.foundCount)
        }
        object("factors") { json in
            for (id, factor) in home.factors.sorted(by: { $0.key < $1.key }) {
                json.member(id.description, factor)
            }
        }
        object("scores") { json in
            for (id, scores) in home.scores.sorted(by: { $0.key < $1.key }) {
                json.objects(id.description, zip(home.channels, scores)) { json, found in
                    json.member("channel", found.0.name)
                    if let raw = found.1.raw { json.member("raw", raw) }
                    json.member("normalized", found.1.normalized)
                    if let rank = found.1.rank { json.member("rank", rank) }
                }
            }
        }
        endObject()
    }
}
