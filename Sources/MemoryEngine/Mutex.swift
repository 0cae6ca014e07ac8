import Store

/// The store's mutex, for the floors above, which do not see the store.
package typealias Mutex<Value> = Store.Mutex<Value>
