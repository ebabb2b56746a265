package applefake

import (
	"errors"
	"fmt"
	"sync"
)

// Server is one fake of Apple, with any number of locations. It is safe for use by several goroutines.
type Server struct {
	options Options
	ids     opaque // of what belongs to no location
	routes  map[string]map[string]route

	mu        sync.Mutex
	limits    Limits
	locations []*Location
	byUID     map[string]*Location
	tokens    map[string]*token // by outer text
	titles    map[string]Title  // described by a spec, by Adam ID
	hidden    map[string]bool   // Adam IDs without metadata
	script    func(*Incoming) Fault
	counts    map[string]int
	wire      []Call
	journal   *journal // nil without one
	posts     []*post  // notifications to be delivered
	posted    uint64   // what makes the last notification's id
}

// New returns a fake without locations. With Options.Journal it reads the journal; what that says of a location happens
// again when the location is added.
func New(options Options) (*Server, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		options: options, limits: *options.Limits, ids: newOpaque(options.Seed, ""),
		byUID: map[string]*Location{}, tokens: map[string]*token{},
		titles: map[string]Title{}, hidden: map[string]bool{}, counts: map[string]int{},
	}
	s.routes = s.table()
	s.posted = uint64(options.Clock.Now().UnixNano()) // so that notification ids don't come again after a restart
	if options.Journal != "" {
		j, err := openJournal(options.Journal)
		if err != nil {
			return nil, fmt.Errorf("opening the journal: %w", err)
		}
		s.journal = j
	}
	return s, nil
}

// Close closes the journal. Without one it does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// SetLimits changes the limits from now on, as Apple may at any time.
func (s *Server) SetLimits(limits Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = limits
}

// Locations lists the locations in the order in which they were added.
func (s *Server) Locations() []*Location {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Location(nil), s.locations...)
}

// Invariants checks the books of all locations; see [Location.Invariants].
func (s *Server) Invariants() error {
	var all []error
	for _, l := range s.Locations() {
		all = append(all, l.Invariants())
	}
	return errors.Join(all...)
}
