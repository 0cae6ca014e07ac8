import Foundation
import TestSupport

/// BERT as it is published, in 64-bit floats and with nothing left out to be fast.
struct ReferenceBert {
    let model: TinyModel

    private func tensor(_ name: String) -> [Double] { model.tensors[name]?.numbers.map(Double.init) ?? [] }

    private func linear(_ x: [[Double]], _ name: String) -> [[Double]] {
        let (weights, bias) = (tensor(name + ".weight"), tensor(name + ".bias"))
        return x.map { row in
            bias.indices.map { output in
                row.indices.reduce(bias[output]) { $0 + row[$1] * weights[output * row.count + $1] }
            }
        }
    }

    private func norm(_ x: [[Double]], _ name: String) -> [[Double]] {
        let (gain, shift) = (tensor(name + ".weight"), tensor(name + ".bias"))
        return x.map { row in
            let mean = row.reduce(0, +) / Double(row.count)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
            return row.indices.map {
                (row[$0] - mean) / (variance + 1e-12).squareRoot() * gain[$0] + shift[$0]
            }
        }
    }

    private func sum(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        zip(a, b).map { zip($0, $1).map { $0 + $1 } }
    }

    private func attention(_ x: [[Double]], _ layer: String) -> [[Double]] {
        let parts = ["query", "key", "value"].map { linear(x, "\(layer)attention.self.\($0)") }
        let width = model.hidden / model.headCount
        return x.indices.map { token in
            (0..<model.headCount).flatMap { head -> [Double] in
                let range = head * width..<(head + 1) * width
                let scores = x.indices.map { other in
                    exp(
                        zip(parts[0][token][range], parts[1][other][range]).reduce(0) { $0 + $1.0 * $1.1 }
                            / Double(width).squareRoot())
                }
                let total = scores.reduce(0, +)
                return range.map { place in
                    x.indices.reduce(0) { $0 + scores[$1] / total * parts[2][$1][place] }
                }
            }
        }
    }

    /// The mean of what the last layer gives (or the first token's), of length 1.
    func vector(of tokens: [Int32], isMean: Bool = true) -> [Double] {
        func row(_ name: String, _ index: Int) -> [Double] {
            Array(tensor(name)[index * model.hidden..<(index + 1) * model.hidden])
        }
        var x = tokens.enumerated().map { position, token in
            zip(
                row("embeddings.word_embeddings.weight", Int(token)),
                zip(
                    row("embeddings.position_embeddings.weight", position),
                    row("embeddings.token_type_embeddings.weight", 0))
            ).map { $0 + $1.0 + $1.1 }
        }
        x = norm(x, "embeddings.LayerNorm")
        for number in 0..<model.layerCount {
            let layer = "encoder.layer.\(number)."
            let attended = linear(attention(x, layer), layer + "attention.output.dense")
            x = norm(sum(x, attended), layer + "attention.output.LayerNorm")
            let wide = linear(x, layer + "intermediate.dense").map { row in
                row.map { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }
            }
            x = norm(sum(x, linear(wide, layer + "output.dense")), layer + "output.LayerNorm")
        }
        let rows = isMean ? x : [x[0]]
        let mean = (0..<model.hidden).map { place in rows.reduce(0) { $0 + $1[place] } / Double(rows.count) }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return mean.map { $0 / length }
    }
}

/// The cosine of two vectors.
func cosine(_ a: [Float], _ b: [Double]) -> Double {
    let (x, y) = (a.map(Double.init), b)
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return dot(x, y) / (dot(x, x) * dot(y, y)).squareRoot()
}
