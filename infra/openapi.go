package infra

import _ "embed"

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI is the description of the API, in YAML. The caller must not change it.
func OpenAPI() []byte { return openAPI }
