package lambda

import (
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/grant"
)

// Apple is Apple's service. Nothing is sent before it is used.
func (p Process) Apple() *apple.Service {
	service, err := apple.NewService(apple.Options{BaseURL: p.Env.Text(setting.Apple), World: p.World, Log: p.Log})
	if err != nil {
		p.Env.Refuse(setting.Apple, err)
	}
	return service
}

// Pace is that of the grants. It can only be hurried with a fake: a license might be spent twice (design law 2).
func (p Process) Pace() grant.Pace {
	const safe, batches = 10 * time.Minute, 5
	pace := grant.Pace{
		ResendAfter: p.Env.Duration(setting.ResendAfter), Poll: p.Env.Duration(setting.PollAfter), MaxOpen: batches,
	}
	if pace.ResendAfter < safe && !onLoopback(p.Env.Text(setting.Apple)) {
		p.Env.Refuse(setting.ResendAfter, errors.New("it is shorter than ten minutes, and Apple is not on loopback"))
	}
	return pace
}

// Restored is when spending was stopped before the table was restored.
func (p Process) Restored() time.Time {
	at := p.Env.Time(setting.RestoredAt)
	if at.After(p.World.Now()) { // all work would be put off until then
		p.Env.Refuse(setting.RestoredAt, errors.New("it is in the future"))
	}
	return at
}

func onLoopback(base string) bool {
	at, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(at.Hostname())
	return ip != nil && ip.IsLoopback()
}
