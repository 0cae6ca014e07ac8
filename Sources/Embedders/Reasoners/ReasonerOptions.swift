/// How a service is told the form of an answer. Whatever it was told, the answer is checked.
public enum AnswerForm: String, Sendable, CaseIterable {
    /// As a JSON Schema that it holds its model to: `response_format` of OpenAI's shape, `output_config` of Anthropic's.
    case schema
    /// As a tool that the model has to use, in Anthropic's shape. Its models from 5.5 on refuse that, and want `schema`.
    case tool
    /// In the words of the question, for servers that take no schema.
    case words
}

/// What is asked of a service that notes and summarises memories, whatever its shape.
public struct ReasonerOptions: Sendable {
    /// Under which its costs are counted.
    public var service: String
    public var form: AnswerForm
    /// How long a call may take, retries and all. A model on a processor of one's own takes minutes.
    public var deadline = Duration.seconds(300)
    /// Tokens of an answer; of models that think before they answer these count too.
    public var maximumAnswerTokens = 4_096
    /// Of the contents in one question, in bytes; longer ones are cut, the longest first. With what is said around them this is
    /// some 9,000 tokens, which models of one's own often have room for.
    public var maximumContentByteCount = 24 << 10
    /// 0 = they cost nothing; `nil` = nobody knows what.
    public var dollarsPerMillionInputTokens: Double?
    public var dollarsPerMillionOutputTokens: Double?
    /// Where costs are counted, and capped.
    public var ledger: CostLedger?

    public init(service: String, form: AnswerForm) { (self.service, self.form) = (service, form) }

    /// What tokens cost; `nil` = nobody knows.
    func dollars(input: Int, output: Int) -> Double? {
        guard let read = dollarsPerMillionInputTokens, let written = dollarsPerMillionOutputTokens else {
            return nil
        }
        return (Double(input) * read + Double(output) * written) / 1e6
    }
}
