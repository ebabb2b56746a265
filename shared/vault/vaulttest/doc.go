// Package vaulttest is the contract of vault.Vault as tests: every engine passes Run.
package vaulttest
