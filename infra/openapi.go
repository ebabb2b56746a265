package infra

import (
	_ "embed"
	"strings"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI is the description of the API, in YAML. The caller must not change it.
func OpenAPI() []byte { return openAPI }

// Paths are the paths of the description that are served under each version, e.g. "/deviceAppManagement/vppTokens/{id}". They
// are read off its lines, which costs a function's start nothing.
func Paths() []string {
	var paths []string
	_, rest, _ := strings.Cut(string(openAPI), "\npaths:\n")
	for line := range strings.Lines(rest) {
		path, isPath := strings.CutPrefix(strings.TrimRight(line, ":\n"), "  /")
		switch {
		case isPath && strings.HasSuffix(line, ":\n"):
			paths = append(paths, "/"+path)
		case strings.HasPrefix(line, "    servers:"): // the path above has no version
			paths = paths[:len(paths)-1]
		}
	}
	return paths
}
