/// Words by which a name or an address is no single person's.
enum RoleWords {
    /// Words of names of teams, robots and machines.
    static let inNames: Set<String> = [
        "root", "admin", "administrator", "buildd", "daemon", "maintainer", "maintainers", "team", "group",
        "bot", "robot", "ci", "debian", "ubuntu", "project", "developers", "devs", "packagers", "packaging",
        "build", "builder", "release", "security", "user", "unknown", "nobody", "noreply", "github", "gitlab",
        "jenkins", "travis", "dependabot", "renovate", "automation", "service", "system", "server", "archive",
        "installer", "translators", "qa", "infrastructure", "support", "committee", "authors", "contributors",
        "anonymous", "localhost", "mailer", "autobuilder", "cron", "webmaster", "postmaster", "janitor",
        "apt",
        "dpkg", "package", "packages", "software", "list", "actions", "workflow", "bors", "import", "sync",
    ]

    /// Whole names that programs and forms give where nobody has set one.
    static let defaultNames: Set<String> = [
        "your name", "first last", "user name", "full name", "john doe", "jane doe", "no name",
        "name surname",
        "firstname lastname", "your full name", "not committed yet",
    ]

    /// Words of the local parts of addresses by which many persons write, or none.
    static let inAddresses: Set<String> = [
        "root", "admin", "administrator", "team", "maintainers", "maintainer", "packages", "devel", "maint",
        "buildd", "bot", "webmaster", "postmaster", "info", "support", "security", "nobody", "noreply",
        "list",
        "lists", "pkg", "cron", "daemon", "jenkins", "ci", "submit", "control", "www", "contact", "mail",
        "office", "hostmaster", "release", "ftpmaster", "tracker", "null", "devnull", "unknown", "none",
        "user",
        "test", "example", "robot", "builder", "build", "patches", "you", "me", "email", "actions",
        "dependabot", "ubuntu", "debian", "vagrant",
    ]
}
