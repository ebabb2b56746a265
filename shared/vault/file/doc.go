// Package file is the vault of the one-program stack: a directory with one encrypted file for each version of a secret,
// and the key beside them.
//
// It protects secrets in backups, screenshots and stray copies of single files. It doesn't protect them from whoever
// can read the whole directory, because the key lies in it: use it for a machine of your own. One process at a time.
package file
