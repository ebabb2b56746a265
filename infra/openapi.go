package infra

import (
	_ "embed"
	"net/http"
	"strings"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI is the description of the API, in YAML. The caller must not change it.
func OpenAPI() []byte { return openAPI }

// Paths are the paths of the description that are served under each version, e.g. "/deviceAppManagement/vppTokens/{id}", with
// the methods that each answers. They are read off its lines, which costs a function's start nothing.
func Paths() map[string][]string {
	paths := make(map[string][]string)
	_, rest, _ := strings.Cut(string(openAPI), "\npaths:\n")
	path := ""
	for line := range strings.Lines(rest) {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		name, isKey := strings.CutSuffix(strings.TrimSpace(line), ":")
		switch method := strings.ToUpper(name); {
		case indent == 0 && isKey: // the paths have ended
			return paths
		case indent == 2 && isKey:
			path = name
			paths[path] = nil
		case strings.HasPrefix(line, "    servers:"): // the path has no version
			delete(paths, path)
			path = ""
		case indent == 4 && isKey && path != "" && isMethod(method):
			paths[path] = append(paths[path], method)
		}
	}
	return paths
}

func isMethod(name string) bool {
	switch name {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}
