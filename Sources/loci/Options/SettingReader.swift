import ArgumentParser
import Foundation

/// Reads settings that an option of the command line gives, else a variable of the environment, else a default.
///
/// The variable of `--max-connections` is `LOCI_SERVE_MAX_CONNECTIONS`: the option's name in capitals, with `_` for `-`,
/// behind `LOCI_SERVE_`. One that is empty counts as not set. `LOCI_STORE` may be of the file `.env` too.
struct SettingReader {
    enum Source: String {
        case flag, environment
        /// Of the working directory.
        case file = ".env"
        case byDefault = "default"
    }

    /// A setting as it was found.
    struct Setting: Equatable {
        let name: String
        /// As it was written; `nil` = it is not set, and has no default.
        let value: String?
        let source: Source
    }

    private static let prefix = "LOCI_SERVE_"
    private let environment: [String: String]
    /// Variables that are of the file.
    private let written: Set<String>
    /// In the order in which they were read.
    private(set) var settings: [Setting] = []

    init(_ settings: Settings = .current) {
        (environment, written) = (settings.values, settings.written)
    }

    static func variable(of name: String) -> String {
        prefix + name.uppercased().replacing("-", with: "_")
    }

    /// A setting that has no default.
    ///
    /// - Parameters:
    ///   - option: what stands behind the option of that name.
    ///   - variable: where another one than that of the name is meant.
    ///   - accept: reads the text, and says what it takes where it cannot.
    /// - Throws: `ValidationError` that names where the text is from.
    mutating func optional<Value>(
        _ name: String, _ option: String?, variable: String? = nil, _ accept: (String) throws -> Value
    ) throws -> Value? {
        let variable = variable ?? Self.variable(of: name)
        let given = environment[variable].flatMap { $0.isEmpty ? nil : $0 }
        guard let text = option ?? given else {
            settings.append(Setting(name: name, value: nil, source: .byDefault))
            return nil
        }
        let source: Source =
            option != nil ? .flag : written.contains(variable) ? .file : .environment
        settings.append(Setting(name: name, value: text, source: source))
        do {
            return try accept(text)
        } catch {
            throw ValidationError(
                "The value '\(text)' is invalid for '\(option == nil ? variable : "--" + name)': \(error)")
        }
    }

    mutating func value<Value>(
        _ name: String, _ option: String?, default usual: String, _ accept: (String) throws -> Value
    ) throws -> Value {
        if let value = try optional(name, option, accept) { return value }
        settings[settings.count - 1] = Setting(name: name, value: usual, source: .byDefault)
        return try accept(usual)
    }

    /// Variables that look like settings, and are none of those that were read.
    var unknownVariables: [String] {
        let known = Set(settings.map { Self.variable(of: $0.name) })
        return environment.keys.filter { $0.hasPrefix(Self.prefix) && !known.contains($0) }.sorted()
    }
}
