// Package infra holds the description of the API, which functions/front serves at /openapi.yaml. The folders below it are
// programs and tests around the product: the one-program stack (local), the operator's command for tokens of callers
// (token), and the house rules (housekeeping).
package infra
