import Store

/// The store's hash of passwords, for the floors above, which do not see the store.
package typealias PasswordHash = Store.PasswordHash
