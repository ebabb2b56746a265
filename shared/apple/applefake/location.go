package applefake

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Platforms of a location.
const (
	Education = "volumestore"
	Business  = "enterprisestore"
)

// LocationSpec is a location as it stands before anything has happened. Name is required.
type LocationSpec struct {
	Name     string
	UID      string // decimal digits; empty: made from name and seed
	Country  string // ISO 3166 alpha-2; empty: US
	Platform string // Education or Business; empty: Education
	Org      string // the orgName of tokens; empty: made from the name
	Domains  []string
	// Accounts are Managed Apple Accounts of the organization outside of its Domains. See also [Location.AddManagedAccount].
	Accounts  []string
	Stock     []Stock
	Generated Generated
}

// Stock is one asset that a location owns.
type Stock struct {
	AdamID    string
	Pricing   string // empty: STDQ
	Total     int
	Unlimited bool // a free title that never runs out
	App       bool // an app instead of a book: revocable, and assignable to devices
	Title     Title
	// NoMetadata: the catalog doesn't know the title, or no longer.
	NoMetadata bool
}

// Location is one license pool. Its methods are what happens to it at Apple or by other hands than the tested one's.
type Location struct {
	server *Server
	spec   LocationSpec
	uid    string
	ids    opaque
	gen    generator

	tokens   []*token
	bucket   bucket
	mdm      *MDMInfo
	notify   notifyConfig
	accounts map[string]bool // managed accounts outside of the domains, lower case
	taken    map[string]bool // accounts that are linked to a user somewhere else

	assets       []*asset
	assetOf      map[AssetKey]*asset
	assetVersion versioned[noRow]

	records     []*record            // not generated ones
	changed     map[int]*record      // generated readers to whom something happened, by index
	recordsOf   map[string][]*record // by client user id; generated ones only if changed
	byAccount   map[string][]*record
	byInvite    map[string]*record
	userVersion versioned[*record]

	held          []*holding
	heldOf        map[AssetKey][]*holding
	devices       map[string][]*holding // by serial number
	gone          []int                 // generated rows that were refunded, ascending
	past          []*holding            // taken back: apps, and refunds
	assignVersion versioned[*holding]

	ops     uint64 // accepted changes so far
	done    []op   // those, unless a journal keeps them; see [Server.Fork]
	events  map[string]*event
	pending []*event  // by due time
	lastDue time.Time // of the events that nothing has delayed
	order   []*event  // all events that can still be asked for, oldest first
	silent  bool      // the journal is being replayed: nothing is written or sent
}

type noRow struct{}

func (noRow) inDelta(int) bool { return false }

// AddLocation adds a location, and with a journal lets happen to it again what the journal says. A journal that was
// written for a location of the same UID but another spec is refused.
func (s *Server) AddLocation(spec LocationSpec) (*Location, error) {
	l, err := s.newLocation(spec)
	if err != nil {
		return nil, fmt.Errorf("adding the location %q: %w", spec.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byUID[l.uid] != nil {
		return nil, fmt.Errorf("adding the location %q: the uId %s exists", spec.Name, l.uid)
	}
	for _, stock := range l.spec.Stock {
		if stock.Title.Name != "" {
			s.titles[stock.AdamID] = stock.Title
		}
		if stock.NoMetadata {
			s.hidden[stock.AdamID] = true
		}
	}
	if s.journal != nil {
		if err := s.journal.replay(l); err != nil {
			return nil, fmt.Errorf("adding the location %q: %w", spec.Name, err)
		}
	}
	s.locations = append(s.locations, l)
	s.byUID[l.uid] = l
	return l, nil
}

func (s *Server) newLocation(spec LocationSpec) (*Location, error) {
	if spec.Name == "" {
		return nil, errors.New("it has no name")
	}
	if spec.Country == "" {
		spec.Country = "US"
	}
	if spec.Platform == "" {
		spec.Platform = Education
	}
	if spec.Org == "" {
		spec.Org = "MADE-UP-" + strings.ToUpper(strings.ReplaceAll(spec.Name, " ", "-"))
	}
	if spec.UID == "" {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(spec.Name), s.options.Seed))
		spec.UID = fmt.Sprintf("1%015d", binary.BigEndian.Uint64(sum[:8])%1e15)
	}
	ids := newOpaque(s.options.Seed, spec.UID)
	gen, err := newGenerator(spec.Generated, s.options.Seed, ids, spec.Domains)
	if err != nil {
		return nil, err
	}
	l := &Location{
		server: s, spec: spec, uid: spec.UID, ids: ids, gen: gen,
		accounts: map[string]bool{}, taken: map[string]bool{}, assetOf: map[AssetKey]*asset{},
		changed: map[int]*record{}, recordsOf: map[string][]*record{}, byAccount: map[string][]*record{},
		byInvite: map[string]*record{}, heldOf: map[AssetKey][]*holding{}, devices: map[string][]*holding{},
		events: map[string]*event{},
	}
	l.assetVersion = versioned[noRow]{ids: ids, kind: kindAssets}
	l.userVersion = versioned[*record]{ids: ids, kind: kindUsers}
	l.assignVersion = versioned[*holding]{ids: ids, kind: kindAssignments}
	for _, address := range spec.Accounts {
		l.accounts[strings.ToLower(address)] = true
	}
	for _, a := range gen.assets() {
		l.stock(a)
	}
	for _, stock := range spec.Stock {
		if stock.Pricing == "" {
			stock.Pricing = STDQ
		}
		if stock.AdamID == "" || l.assetOf[AssetKey{stock.AdamID, stock.Pricing}] != nil {
			return nil, fmt.Errorf("the asset %q %s is empty or twice in the stock", stock.AdamID, stock.Pricing)
		}
		l.stock(newAsset(stock))
	}
	return l, nil
}

// UID is the location's identity (uId).
func (l *Location) UID() string { return l.uid }

// MDMInfo is who manages the location now; nil: nobody.
func (l *Location) MDMInfo() *MDMInfo {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	if l.mdm == nil {
		return nil
	}
	info := *l.mdm
	return &info
}
