package play

import (
	"time"

	"github.com/bookplate/bookplate/infra/simulate/judge"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// tableFaults sets what the table leaks by itself.
func (p *Play) tableFaults() {
	w := p.weather
	f := mem.Faults{Chance: w.chance}
	if !w.over {
		if w.has[indexLag] {
			f.IndexLagOps = indexLagOps
		}
		if w.has[shortPage] {
			f.ShortPagesOneIn = shortPageOdds
		}
		if w.has[conflict] {
			f.ConflictOneIn = conflictOdds
		}
		if w.has[unprocessed] {
			f.LeaveOneIn = unprocessOdds
		}
	}
	p.table.SetFaults(f)
}

// approveAll has what still waits for approval approved, in every other play.
func (p *Play) approveAll() {
	if p.script.IntN(2) == 0 {
		return
	}
	for _, b := range p.books() {
		if s := p.siteOf(b.UID); p.mayWait(s, b) {
			p.approveAs(s, b, second, false)
		}
	}
}

// end stops the faults, puts right what people have to put right, and lets the product come to rest.
func (p *Play) end() {
	p.weather.over = true
	p.tableFaults()
	p.tell(true, "the faults are over")
	p.retry()
	for _, s := range p.sites {
		p.giveBack(s)
		if s.tokenID != "" {
			p.renewOf(s)
		} else {
			p.upload(s, false)
		}
	}
	p.pass(2 * time.Hour)
	p.approveAll()
	p.pass(time.Hour)
	for _, s := range p.sites {
		if s.tokenID != "" {
			p.orderAt(s, "?full=true")
		}
	}
	p.pass(time.Hour)
	// What one location has lost, another may give: it looks at its next sync, twice a day.
	for _, s := range p.sites {
		if s.tokenID != "" {
			p.orderAt(s, "")
		}
	}
	p.pass(40 * time.Minute)
	p.judge.Step()
	if p.failed() {
		return
	}
	var people []string
	for _, x := range p.people {
		if x.id != "" {
			people = append(people, x.id)
		}
	}
	var books []judge.Listed
	for _, b := range p.books() {
		books = append(books, judge.Listed{Book: b.book(), ID: b.ID})
	}
	p.judge.Rest(books, people)
	dump := p.table.Dump()
	for text := range p.opens {
		p.judge.Secret(text, dump)
	}
	p.count("converged")
}
