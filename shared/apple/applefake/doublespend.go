package applefake

// DoubleSpend is a title on which one holder has two licenses or more, whatever their qualities.
type DoubleSpend struct {
	AdamID   string
	Holder   string // idHash of the account; or the client user id of a user without one
	Licenses []License
}

// DoubleSpends lists every title that was spent twice on one account, over all locations, or on one client user id in a
// location. The fake gives an account no second license of one asset; but STDQ beside PLUS, a second location, or two
// users who turn out to be one person it lets happen, as Apple does. Licenses that are gone don't count, and at least
// one of those listed was not generated.
func (s *Server) DoubleSpends() []DoubleSpend {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Clock.Now()
	for _, l := range s.locations {
		l.settle(now)
	}
	type pair struct{ adamID, holder string }
	seen := map[pair]bool{}
	var found []DoubleSpend
	note := func(adamID, holder string, licenses []License) {
		if len(licenses) > 1 && !seen[pair{adamID, holder}] {
			seen[pair{adamID, holder}] = true
			found = append(found, DoubleSpend{adamID, holder, licenses})
		}
	}
	for _, l := range s.locations {
		for _, h := range l.held {
			if h.user == nil {
				continue
			}
			adamID, user := h.key.AdamID, h.user
			note(adamID, user.clientUserID, l.licensesOf(adamID, l.withID(user.clientUserID)))
			if user.account == "" {
				continue
			}
			var licenses []License
			for _, other := range s.locations {
				licenses = append(licenses, other.licensesOf(adamID, other.withAccount(user.account))...)
			}
			note(adamID, idHash(s.options.Seed, user.account), licenses)
		}
	}
	return found
}

// licensesOf lists the licenses of a title that these records hold.
func (l *Location) licensesOf(adamID string, records []*record) []License {
	var all []License
	for _, r := range records {
		for _, h := range r.held {
			if h.key.AdamID == adamID {
				all = append(all, l.license(h))
			}
		}
		if row, ok := l.generatedRow(r, AssetKey{adamID, STDQ}); ok {
			all = append(all, l.license(l.generatedHolding(row)))
		}
	}
	return all
}
