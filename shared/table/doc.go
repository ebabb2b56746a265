// Package table is an ordered key-value table with conditional commits: the one port through which Bookplate stores
// anything but secrets. Its engines are table/mem, table/bolt and (on AWS) table/dynamo; table/tabletest is the suite
// that all of them pass.
//
// The port is what DynamoDB does well and nothing more. There is no scan, no counter, no partial update and no filter.
// A second access path to a thing is a second item in the same Commit, or a sparse index key.
//
// What leaks through, leaks through on every engine, because the embedded ones inject it in tests: an index lags, a
// page may be short, a commit may conflict, an expired item stays for a while, a bulk write leaves some items undone.
// No law of the product rests on an index or on expiry.
package table
