package directory

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/problem"
)

// base is what locations begin with.
func (s *server) base(r *http.Request) string {
	if s.BaseURL != "" {
		return s.BaseURL
	}
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host + Prefix
}

// etag is the version as HTTP writes it. It is weak: a group's doesn't change with its members.
func etag(version string) string { return `W/"` + version + `"` }

// ifMatch is the version that the request makes itself dependent on; empty when it doesn't.
func ifMatch(r *http.Request) string {
	tag := strings.TrimSpace(r.Header.Get("If-Match"))
	if tag == "*" {
		return ""
	}
	return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
}

func meta(kind shape, version, location string, created, modified time.Time) map[string]any {
	return map[string]any{
		"resourceType": kind.name, "location": location, "version": etag(version),
		"created": created.Format(time.RFC3339), "lastModified": modified.Format(time.RFC3339),
	}
}

// put sets what isn't empty.
func put(to map[string]any, name, text string) {
	if text != "" {
		to[name] = text
	}
}

// extend adds an extension's attributes, if there are any, and names the extension among the schemas.
func extend(resource map[string]any, urn, name, text string) {
	if text != "" {
		resource[urn] = map[string]any{name: text}
		schemas, _ := resource["schemas"].([]string)
		resource["schemas"] = append(schemas, urn)
	}
}

func (s *server) user(r *http.Request, p directory.Person) map[string]any {
	u := map[string]any{
		"schemas": []string{userURN}, "id": p.ID, "userName": p.UserName, "active": p.Active,
		"meta": meta(s.users, p.Version, s.base(r)+s.users.endpoint+"/"+p.ID, p.Created, p.Modified),
	}
	put(u, "externalId", p.ExternalID)
	put(u, "displayName", p.DisplayName)
	name := map[string]any{}
	put(name, "formatted", p.FormattedName)
	put(name, "givenName", p.GivenName)
	put(name, "familyName", p.FamilyName)
	if len(name) > 0 {
		u["name"] = name
	}
	if len(p.Emails) > 0 {
		emails := make([]map[string]any, len(p.Emails))
		for i, e := range p.Emails {
			emails[i] = map[string]any{"value": e.Value, "primary": e.Primary}
			put(emails[i], "type", e.Type)
			put(emails[i], "display", e.Display)
		}
		u["emails"] = emails
	}
	extend(u, enterpriseURN, "employeeNumber", p.EmployeeNumber)
	extend(u, ourUserURN, "managedAppleAccount", p.ManagedAppleAccount)
	return u
}

func (s *server) group(r *http.Request, g directory.Group) map[string]any {
	out := map[string]any{
		"schemas": []string{groupURN}, "id": g.ID, "displayName": g.DisplayName,
		"meta": meta(s.groups, g.Version, s.base(r)+s.groups.endpoint+"/"+g.ID, g.Created, g.Modified),
	}
	put(out, "externalId", g.ExternalID)
	extend(out, ourGroupURN, "kind", string(g.Kind))
	return out
}

// Bounds of the members in one answer, which must stay under 5 MB: 150 bytes each in full, 50 by value alone.
const (
	maxFullMembers = 10_000
	maxMembers     = 80_000
	maxListMembers = 20_000 // over all groups of a list
)

func (s *server) members(r *http.Request, members []directory.Member) []map[string]any {
	prefix := s.base(r) + s.users.endpoint + "/"
	out := make([]map[string]any, len(members))
	for i, m := range members {
		out[i] = map[string]any{"value": m.ID}
		switch {
		case !m.IsPerson():
			out[i]["type"] = m.Type
		case len(members) <= maxFullMembers:
			out[i]["type"], out[i]["$ref"] = s.users.name, prefix+m.ID
		}
	}
	return out
}

// selection is what a request wants to see of a resource: attributes, or all but excludedAttributes (RFC 7644, 3.9).
type selection struct{ only, but []string }

func selectionOf(r *http.Request, kind shape) selection {
	names := func(parameter string) []string {
		var list []string
		for _, name := range strings.Split(r.URL.Query().Get(parameter), ",") {
			if name = strings.TrimSpace(name); name != "" {
				list = append(list, kind.canonical(name))
			}
		}
		return list
	}
	return selection{names("attributes"), names("excludedAttributes")}
}

// wants says whether an attribute of the core is wanted, with its parts or some of them.
func (s selection) wants(attribute string) bool {
	if len(s.only) == 0 {
		return !contains(s.but, attribute)
	}
	return slices.ContainsFunc(s.only, func(name string) bool {
		first, _, _ := strings.Cut(name, ".")
		return strings.EqualFold(first, attribute)
	})
}

// from takes out of a resource what isn't wanted. The id and schemas are always there.
func (s selection) from(resource map[string]any) map[string]any {
	for _, key := range slices.Collect(maps.Keys(resource)) {
		if key != "id" && key != "schemas" {
			s.trim(resource, key, key)
		}
	}
	return resource
}

// trim removes in[key], whose full name is given, or what isn't wanted inside it.
func (s selection) trim(in map[string]any, key, name string) {
	if contains(s.but, name) && len(s.only) == 0 {
		delete(in, key)
		return
	}
	if len(s.only) > 0 && contains(s.only, name) {
		return
	}
	parts := []map[string]any{}
	switch value := in[key].(type) {
	case map[string]any:
		parts = append(parts, value)
	case []map[string]any:
		parts = value
	}
	separator := "."
	if strings.Contains(key, ":") {
		separator = ":"
	}
	left := false
	for _, part := range parts {
		for _, sub := range slices.Collect(maps.Keys(part)) {
			s.trim(part, sub, name+separator+sub)
		}
		left = left || len(part) > 0
	}
	if len(s.only) > 0 && !left {
		delete(in, key)
	}
}

// page is what a list request asks for.
type page struct{ start, count int }

func pageOf(r *http.Request) (page, error) {
	p := page{1, defaultCount}
	for name, to := range map[string]*int{"startIndex": &p.start, "count": &p.count} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return page{}, problem.New(problem.Invalid, "", "It isn't a number.").At(name)
		}
		*to = n
	}
	p.start, p.count = max(p.start, 1), min(max(p.count, 0), maxCount)
	return p, nil
}

// of is the page's part of a list that is there as a whole.
func of[T any](p page, all []T) []T {
	from := min(p.start-1, len(all))
	return all[from:min(from+p.count, len(all))]
}

func writeList(w http.ResponseWriter, p page, total int, resources []map[string]any) {
	if resources == nil {
		resources = []map[string]any{}
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"schemas":      []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		"totalResults": total, "startIndex": p.start, "itemsPerPage": len(resources), "Resources": resources,
	})
}

// writeResource answers with a resource, its version, and after a POST its location.
func writeResource(w http.ResponseWriter, status int, wanted selection, resource map[string]any) {
	about := asObject(resource["meta"])
	if version, ok := about["version"].(string); ok {
		w.Header().Set("ETag", version)
	}
	if location, ok := about["location"].(string); ok && status == http.StatusCreated {
		w.Header().Set("Location", location)
	}
	writeJSON(w, status, wanted.from(resource))
}
