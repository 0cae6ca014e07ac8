/// An e-mail address taken apart.
struct MailAddress: Hashable, Sendable {
    /// In small letters, without what stands behind a `+`; of a forge's address that takes no mail the login.
    let local: String
    let domain: String
    /// It is a forge's for an account, and takes no mail.
    let isAccount: Bool
    /// The number of the account, where the address tells it: one number is one account, whatever its login.
    let accountNumber: String?

    /// What is read of an address, in bytes.
    private static let maximumByteCount = 320

    /// `nil` where it can be no mailbox: without a name before the only `@`, or anything behind it.
    init?(_ text: String) {
        let folded = FoldedKey.fold(String(decoding: text.utf8.prefix(Self.maximumByteCount), as: UTF8.self))
            .filter { !"<> ".contains($0) }
        let parts = folded.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        domain = String(parts[1])
        isAccount = Self.accountHosts.contains { folded.hasSuffix("@" + $0) }
        if isAccount {
            // GitHub writes "12345+login", GitLab "12345-login".
            let login = parts[0].drop { $0.isNumber }
            let isNumbered = login.count < parts[0].count && (login.first == "+" || login.first == "-")
            local = String(isNumbered ? login.dropFirst() : parts[0])
            accountNumber = isNumbered ? String(parts[0].prefix { $0.isNumber }) : nil
        } else {
            accountNumber = nil
            local = parts[0].split(separator: "+", maxSplits: 1).first.map(String.init) ?? ""
        }
        if local.isEmpty { return nil }
    }

    /// What is one for all ways to write the address of one mailbox.
    var canonical: String {
        switch domain {
        // Google reads no points, and has two names.
        case "gmail.com", "googlemail.com": local.filter { $0 != "." } + "@gmail.com"
        default: local + "@" + domain
        }
    }

    /// The letters of the local part in groups, as "ada" and "lovelace".
    var words: [String] { local.split { !$0.isLetter }.map(String.init) }

    /// A list, a team or a robot, by which many persons write, or none; or a machine that names no domain.
    var isRole: Bool {
        if !domain.contains(".") || domain.contains("(none)") || domain.hasPrefix("localhost")
            || domain.hasSuffix(".localdomain") || domain.hasPrefix("example.")
        {
            return true
        }
        if domain.hasPrefix("lists.") || domain.contains(".lists.") || domain.hasPrefix("tracker.") {
            return true
        }
        if !isAccount, domain.contains("noreply") { return true }
        if local.hasPrefix("noreply") || local.hasPrefix("no-reply") || local.contains("donotreply") {
            return true
        }
        return words.contains { RoleWords.inAddresses.contains($0) }
    }

    /// Whose domain it is: the two or three last labels, so that machines of one house are one.
    var house: String {
        let labels = domain.split(separator: ".")
        let isLong =
            labels.count > 2 && labels[labels.count - 1].count == 2
            && (labels[labels.count - 2].count < 4 || labels[labels.count - 2] == "asso")
        return labels.suffix(isLong ? 3 : 2).joined(separator: ".")
    }

    /// Whether many unrelated persons have addresses at the domain.
    var isPublic: Bool {
        isAccount || Self.providers.contains(domain)
            || Self.forgeHosts.contains { domain == $0 || domain.hasSuffix("." + $0) }
    }

    private static let accountHosts = [
        "users.noreply.github.com", "users.noreply.gitlab.com", "noreply.codeberg.org",
        "users.noreply.salsa.debian.org",
    ]
    private static let forgeHosts = ["github.com", "gitlab.com", "sourceforge.net", "codeberg.org"]
    private static let providers: Set<String> = [
        "gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "live.com", "yahoo.com", "yahoo.co.uk",
        "gmx.de", "gmx.net", "web.de", "mail.ru", "yandex.ru", "protonmail.com", "proton.me", "icloud.com",
        "me.com", "mac.com", "aol.com", "free.fr", "orange.fr", "qq.com", "163.com", "126.com",
        "fastmail.com",
        "fastmail.fm", "t-online.de", "posteo.de", "mailbox.org", "riseup.net", "debian.org", "ubuntu.com",
        "gnu.org", "kernel.org", "apache.org", "gentoo.org", "fedoraproject.org", "freebsd.org", "acm.org",
        "ieee.org", "wanadoo.fr", "libero.it",
    ]
}
