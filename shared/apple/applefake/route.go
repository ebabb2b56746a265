package applefake

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Names of the endpoints, as [Incoming], [Call] and [Server.Counts] give them.
const (
	EndpointServiceConfig       = "serviceConfig"
	EndpointClientConfig        = "clientConfig"    // reading it
	EndpointConfigure           = "setClientConfig" // writing it
	EndpointAssets              = "getAssets"
	EndpointAssociate           = "associateAssets"
	EndpointDisassociate        = "disassociateAssets"
	EndpointRevoke              = "revokeAssets"
	EndpointAssignments         = "getAssignments"
	EndpointUsers               = "getUsers"
	EndpointCreate              = "createUsers"
	EndpointUpdate              = "updateUsers"
	EndpointRetire              = "retireUsers"
	EndpointStatus              = "eventStatus"
	EndpointMetadata            = "contentMetadataLookup"
	EndpointBooks               = "booksMetadata"
	EndpointInvitation          = "invitation"       // the page
	EndpointAcceptance          = "acceptInvitation" // its form
	EndpointCover               = "cover"
	EndpointUnknown             = "unknown"
	apiPath                     = "/mdm/v2"
	metadataPath                = "/WebObjects/MZStorePlatform.woa/wa/lookup"
	invitationPath              = "/WebObjects/MZFinance.woa/wa/associateVPPUserWithITSAccount"
	coverPath                   = "/covers/"
	catalogPath                 = "/v1/catalog/"
	mediaJSON                   = "application/json"
	maxBody               int64 = 16 << 20
)

// route is what one method of one path does.
type route struct {
	endpoint string
	open     bool // needs no token
	serve    func(*call) (any, *refusal)
}

// call is one request on its way through the checks.
type call struct {
	server   *Server
	location *Location // nil where no token is needed
	token    *token
	now      time.Time
	base     string // scheme and host under which we were called
	request  *http.Request
	query    url.Values
	body     []byte
	bad      bool  // a query parameter could not be read
	fault    Fault // what the script does to this request
	eventID  string
}

func (s *Server) table() map[string]map[string]route {
	get := func(endpoint string, serve func(*call) (any, *refusal)) map[string]route {
		return map[string]route{http.MethodGet: {endpoint: endpoint, serve: serve}}
	}
	post := func(endpoint string, serve func(*call) (any, *refusal)) map[string]route {
		return map[string]route{http.MethodPost: {endpoint: endpoint, serve: serve}}
	}
	return map[string]map[string]route{
		"/service/config": {http.MethodGet: {endpoint: EndpointServiceConfig, open: true, serve: serviceConfig}},
		"/client/config": {
			http.MethodGet:  {endpoint: EndpointClientConfig, serve: readConfig},
			http.MethodPost: {endpoint: EndpointConfigure, serve: writeConfig},
		},
		"/assets":              get(EndpointAssets, listAssets),
		"/assets/associate":    post(EndpointAssociate, associate),
		"/assets/disassociate": post(EndpointDisassociate, disassociate),
		"/assets/revoke":       post(EndpointRevoke, revoke),
		"/assignments":         get(EndpointAssignments, listAssignments),
		"/users":               get(EndpointUsers, listUsers),
		"/users/create":        post(EndpointCreate, createUsers),
		"/users/update":        post(EndpointUpdate, updateUsers),
		"/users/retire":        post(EndpointRetire, retireUsers),
		"/status":              get(EndpointStatus, eventStatus),
	}
}

// endpointOf names the endpoint that a request is for.
func (s *Server) endpointOf(r *http.Request) string {
	path := r.URL.Path
	for method, route := range s.routes[strings.TrimPrefix(path, apiPath)] {
		if strings.HasPrefix(path, apiPath) && method == r.Method {
			return route.endpoint
		}
	}
	switch {
	case path == metadataPath:
		return EndpointMetadata
	case path == invitationPath && r.Method == http.MethodPost:
		return EndpointAcceptance
	case path == invitationPath:
		return EndpointInvitation
	case strings.HasPrefix(path, coverPath):
		return EndpointCover
	case strings.HasPrefix(path, catalogPath):
		return EndpointBooks
	}
	return EndpointUnknown
}

// api answers a request for the API. The checks stand in a fixed order, and the first that fails answers; what the
// endpoint itself checks (body, required parts, limits, duplicates, flags) comes after these.
func (s *Server) api(c *call) (any, *refusal) {
	path, isAPI := strings.CutPrefix(c.request.URL.Path, apiPath)
	methods := s.routes[path]
	if !isAPI || methods == nil {
		r := refuse(9602)
		r.status = http.StatusNotFound
		return nil, r
	}
	route, ok := methods[c.request.Method]
	if !ok {
		return nil, refuse(9726)
	}
	if c.request.Method == http.MethodPost {
		media, _, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
		if err != nil || media != mediaJSON {
			return nil, refuse(9727)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = s.options.Clock.Now()
	if route.open {
		return route.serve(c)
	}
	if r := s.authenticate(c); r != nil {
		return nil, r
	}
	if !c.location.bucket.take(c.now, s.limits.MaxRequestPerSecond, s.options.Burst) {
		return nil, refuse(9646)
	}
	c.location.settle(c.now)
	return route.serve(c)
}

// decode reads the body; what isn't JSON of the right shape is an invalid argument.
func (c *call) decode(into any) *refusal {
	if err := json.Unmarshal(c.body, into); err != nil {
		return refuse(9602)
	}
	return nil
}

func (c *call) number(name string, otherwise int) int {
	text := c.query.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		c.bad = true
	}
	return int(n)
}

// flag reads an optional boolean; nil: not given.
func (c *call) flag(name string) *bool {
	text := c.query.Get(name)
	if text == "" {
		return nil
	}
	if text != "true" && text != "false" {
		c.bad = true
	}
	value := text == "true"
	return &value
}

// set tells whether an optional boolean is given as true.
func (c *call) set(name string) bool {
	value := c.flag(name)
	return value != nil && *value
}

func (c *call) common(always bool) common {
	l, policy := c.location, c.server.options.ExpirationDate
	out := common{UID: l.uid, MDMInfo: l.mdm}
	if always || policy == ExpirationAlways ||
		policy == ExpirationLast15Days && c.token.expires.Sub(c.now) <= 15*24*time.Hour {
		out.TokenExpirationDate = c.token.expires.Format(dateLayout)
	}
	return out
}
