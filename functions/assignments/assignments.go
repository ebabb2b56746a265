package assignments

import (
	"net/http"
	"time"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/door"
	"github.com/bookplate/bookplate/shared/graph"
	"github.com/bookplate/bookplate/shared/queue"
	"github.com/bookplate/bookplate/shared/table"
)

// Config is what the function is made of.
type Config struct {
	door.Config
	Store     *table.Store
	Directory *directory.Reader
	Queue     queue.Queue
	// Hold is how long a new required assignment spends nothing and can be taken back without cost.
	Hold time.Duration
	// ApprovalAbove is over how many licenses a new assignment, or what it has grown to, waits for approval; 0 means never,
	// but for all users.
	ApprovalAbove int
	// PlanInline is of how many people a plan is computed while its caller waits; 0 means assign.DefaultPlanInline.
	PlanInline int
	// SelfApproval lets whoever asked for an assignment approve it too.
	SelfApproval bool
	// Federated are the domains whose userNames are Managed Apple Accounts: a plan foresees who will be linked.
	Federated []string
}

type server struct{ Config }

// New returns the handler of the routes.
func New(c Config) http.Handler { return door.New(c.Config, routes(server{c})) }

// Routes are the handler's mux patterns.
func Routes() []string { return door.Patterns(routes(server{})) }

const (
	bookPath        = "/deviceAppManagement/managedEBooks/{id}"
	assignmentsPath = bookPath + "/assignments"
	requestsPath    = "/bookplate/requests"
	assignmentPath  = assignmentsPath + "/{assignment}"
	plansPath       = "/bookplate/plans"
	planPath        = plansPath + "/{id}"
	readerPath      = "/bookplate/readers/{id}"
)

func routes(s server) []door.Route {
	return []door.Route{
		{Method: http.MethodPost, Path: requestsPath, Need: auth.Reader, Answer: s.request},
		{Method: http.MethodGet, Path: requestsPath, Need: auth.Reader, Answer: graph.Taking(s.requests,
			"book", "person", "$top", "$skiptoken")},
		{Method: http.MethodGet, Path: planPath, Need: auth.Viewer, Answer: s.planned},
		{Method: http.MethodGet, Path: planPath + "/people", Need: auth.Viewer, Answer: graph.Taking(s.plannedPeople, "$skiptoken")},
		{Method: http.MethodPost, Path: readerPath + "/retire", Need: auth.Administrator, Answer: s.retire},
		{Method: http.MethodPost, Path: readerPath + "/restore", Need: auth.Administrator, Answer: s.restore},
		{Method: http.MethodPost, Path: bookPath + "/assign", Need: auth.Manager, Answer: s.assign},
		{Method: http.MethodPost, Path: bookPath + "/bookplate.plan", Need: auth.Viewer, Answer: s.plan},
		{Method: http.MethodPost, Path: bookPath + "/bookplate.approve", Need: auth.Administrator, Answer: s.approve},
		{Method: http.MethodGet, Path: assignmentsPath, Need: auth.Viewer, Answer: s.collection().List},
		{Method: http.MethodGet, Path: assignmentsPath + "/$count", Need: auth.Viewer, Answer: s.collection().Count},
		{Method: http.MethodPost, Path: assignmentsPath, Need: auth.Manager, Answer: s.add},
		{Method: http.MethodGet, Path: assignmentPath, Need: auth.Viewer, Answer: s.get},
		{Method: http.MethodDelete, Path: assignmentPath, Need: auth.Manager, Answer: s.remove},
	}
}
