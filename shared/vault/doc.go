// Package vault keeps secrets: the content tokens that open a location at Apple, and the secrets that Apple shows when
// it notifies us. One secret has one name (an id of ours) and several versions. The table keeps name and version, never
// the secret. Engines are vault/file and (on AWS) vault/secretsmanager; vault/vaulttest is the suite they pass.
package vault
