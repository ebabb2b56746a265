package stage

import (
	"maps"

	"github.com/bookplate/bookplate/shared/world"
)

// Fork is the stage as a sudden death of its process leaves it now: table, vault, clock and Apple are copies of what
// they are at this moment, wakes and everything in memory are gone, and a new process has started. Scenes that share
// their beginning are acted once and forked, which costs a hundredth of acting the beginning again.
//
// The new world has another seed: it must not make the ids again that the old one has made.
func (s *Stage) Fork(seed uint64) (*Stage, error) {
	o := s.options
	o.Seed = seed
	clock := world.NewVirtual(seed, s.Clock.Now())
	fake, err := s.Apple.Fork(clock)
	if err != nil {
		return nil, err
	}
	f := &Stage{
		Clock: clock, Table: s.Table.Fork(clock), Apple: fake, Sites: fake.Locations(),
		Vault: &Vault{secrets: maps.Clone(s.Vault.secrets)}, options: o,
	}
	f.Site = f.Sites[0]
	if err := f.Boot(); err != nil {
		return nil, err
	}
	return f, nil
}
