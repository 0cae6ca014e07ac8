extension Closure {
    /// The way in which a version ended, from the portable form.
    init(_ closure: VersionClosure) {
        switch closure {
        case .open: self = .open
        case .retracted: self = .retracted
        case .superseded: self = .superseded
        }
    }
}
