// Package secretsmanager is the vault.Vault on AWS Secrets Manager. One secret of the port is one secret there, and its
// versions are versions there, each with a label of its own: Secrets Manager drops versions without labels when it likes.
//
// A secret holds twenty labels ("AWS Secrets Manager quotas"), so it holds twenty versions; further ones go to a second
// secret, a third, and so on. Delete removes all of them at once and for good: whoever deletes a token is told that it is
// gone, and the same location can be uploaded again the same day, which a recovery window would forbid.
package secretsmanager
