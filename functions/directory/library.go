package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/elimity-com/scim"
	scimerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
)

// Bounds of a list's page. Okta imports by 100.
const (
	defaultCount = 100
	maxCount     = 200
)

// library is the SCIM library in the two roles that it has here: it describes the server, and it reads bodies.
type library struct {
	discovery scim.Server
	reading   scim.Server
}

func newLibrary() (library, error) {
	config := scim.ServiceProviderConfig{
		MaxResults: maxCount, SupportFiltering: true, SupportPatch: true,
		AuthenticationSchemes: []scim.AuthenticationScheme{{
			Type: scim.AuthenticationTypeOauthBearerToken, Name: "OAuth Bearer Token", Primary: true,
			Description: "The token that an administrator created for the identity provider.",
			SpecURI:     optional.NewString("https://www.rfc-editor.org/info/rfc6750"),
		}},
	}
	server := func(shapes func() (users, groups shape)) (scim.Server, error) {
		users, groups := shapes()
		types := []scim.ResourceType{users.resourceType(capture{}), groups.resourceType(capture{})}
		return scim.NewServer(&scim.ServerArgs{ServiceProviderConfig: &config, ResourceTypes: types})
	}
	discovery, err := server(advertised)
	if err != nil {
		return library{}, fmt.Errorf("describe the server: %w", err)
	}
	reading, err := server(accepted)
	if err != nil {
		return library{}, fmt.Errorf("set up the schemas: %w", err)
	}
	return library{discovery, reading}, nil
}

// input is a body that fits the schemas: attributes of a POST or PUT, operations of a PATCH.
type input struct {
	attributes scim.ResourceAttributes
	operations []scim.PatchOperation
}

// read holds a body against the schemas of an endpoint ("/Users", "/Groups").
func (l library) read(ctx context.Context, method, endpoint string, body []byte) (input, error) {
	var in input
	path := endpoint
	if method != http.MethodPost {
		path += "/it"
	}
	ctx = context.WithValue(ctx, inputKey{}, &in)
	r, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return input{}, fmt.Errorf("hand a body to the library: %w", err)
	}
	var answer recorder
	l.reading.ServeHTTP(&answer, r)
	if answer.status < http.StatusBadRequest {
		return in, nil
	}
	var refused scimerrors.ScimError
	if err := json.Unmarshal(answer.body.Bytes(), &refused); err != nil {
		return input{}, fmt.Errorf("read the library's error: %w", err)
	}
	return input{}, refused
}

// describe answers a request for one of the discovery documents.
func (l library) describe(w http.ResponseWriter, r *http.Request) error {
	var answer recorder
	l.discovery.ServeHTTP(&answer, r)
	var body any
	if err := json.Unmarshal(answer.body.Bytes(), &body); err != nil {
		return fmt.Errorf("read a discovery document: %w", err)
	}
	writeJSON(w, answer.status, withoutEmpty(body))
	return nil
}

// withoutEmpty drops what the library leaves empty: Microsoft's tests want no null, and "" is no address.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil || value == "" {
				delete(v, key)
				continue
			}
			v[key] = withoutEmpty(value)
		}
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	}
	return v
}

type inputKey struct{}

// capture is a scim.ResourceHandler that keeps what the library hands it, in the request's input.
type capture struct{}

func keep(r *http.Request, in input) {
	if to, ok := r.Context().Value(inputKey{}).(*input); ok {
		*to = in
	}
}

func (capture) Create(r *http.Request, a scim.ResourceAttributes) (scim.Resource, error) {
	keep(r, input{attributes: a})
	return scim.Resource{}, nil
}

func (capture) Replace(r *http.Request, _ string, a scim.ResourceAttributes) (scim.Resource, error) {
	keep(r, input{attributes: a})
	return scim.Resource{}, nil
}

func (capture) Patch(r *http.Request, _ string, ops []scim.PatchOperation) (scim.Resource, error) {
	keep(r, input{operations: ops})
	return scim.Resource{}, nil
}

func (capture) Get(*http.Request, string) (scim.Resource, error) { return scim.Resource{}, nil }

func (capture) GetAll(*http.Request, scim.ListRequestParams) (scim.Page, error) {
	return scim.Page{}, nil
}

func (capture) Delete(*http.Request, string) error { return nil }

// recorder is an http.ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(data []byte) (int, error) { return r.body.Write(data) }
