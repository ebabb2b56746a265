package applefake

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// asset is one inventory: a title in one quality. available is always total - assigned.
type asset struct {
	AssetKey
	app, unlimited  bool
	total, assigned int

	bought, refunded int // what made total: bought - refunded
	given, takenBack int // what made assigned: given (generated ones included) - takenBack - refundedHeld
	refundedHeld     int // refunds that took a license from its holder
}

func newAsset(s Stock) *asset {
	a := &asset{AssetKey: AssetKey{s.AdamID, s.Pricing}, app: s.App, unlimited: s.Unlimited, total: s.Total}
	if s.Unlimited {
		a.total = unlimitedTotal
	}
	a.bought = a.total
	return a
}

// available is how many licenses are left; below zero after a refund of more than were left.
func (a *asset) available() int { return a.total - a.assigned }

func (a *asset) productType() string {
	if a.app {
		return typeApp
	}
	return typeBook
}

func (a *asset) deviceAssignable() bool { return a.app }
func (a *asset) revocable() bool        { return a.app }

func (l *Location) stock(a *asset) {
	a.given = a.assigned
	l.assets = append(l.assets, a)
	l.assetOf[a.AssetKey] = a
}

func (a *asset) row() assetRow {
	available, retired, total := a.available(), 0, a.total
	return assetRow{
		AssetKey: a.AssetKey, ProductType: a.productType(), AssignedCount: a.assigned, AvailableCount: &available,
		RetiredCount: &retired, TotalCount: &total, DeviceAssignable: a.deviceAssignable(), Revocable: a.revocable(),
		SupportedPlatforms: []string{"iOS"},
	}
}

// listAssets is GET /assets. Without the parameter unlimited, unlimited assets are among the others.
func listAssets(c *call) (any, *refusal) {
	keep, unlimited := assetFilter(c), c.flag("unlimited")
	var rows []assetRow
	for _, a := range c.location.assets {
		if keep(a) && (unlimited == nil || *unlimited == a.unlimited) {
			rows = append(rows, a.row())
		}
	}
	rows, paging, r := cut(c, listed(rows), c.location.assetVersion.id())
	if r != nil {
		return nil, r
	}
	answer := assetsAnswer{Assets: rows, paging: paging, common: c.common(false)}
	if unlimited != nil && *unlimited {
		for i := range rows {
			rows[i].AvailableCount, rows[i].RetiredCount, rows[i].TotalCount = nil, nil, nil
		}
		answer.Assets, answer.UnlimitedAssets = []assetRow{}, rows
	}
	return answer, nil
}

// assetFilter reads the parameters that pick assets.
func assetFilter(c *call) func(*asset) bool {
	product, pricing, adamID := c.query.Get("productType"), c.query.Get("pricingParam"), c.query.Get("adamId")
	revocable, devices := c.flag("revocable"), c.flag("deviceAssignable")
	minFree, maxFree := c.number("minAvailableCount", -unlimitedTotal), c.number("maxAvailableCount", unlimitedTotal)
	minHeld, maxHeld := c.number("minAssignedCount", 0), c.number("maxAssignedCount", unlimitedTotal)
	if !slices.Contains([]string{"", typeApp, typeBook}, product) || !slices.Contains([]string{"", STDQ, PLUS}, pricing) {
		c.bad = true
	}
	return func(a *asset) bool {
		return asked(product, a.productType()) && asked(pricing, a.PricingParam) && asked(adamID, a.AdamID) &&
			(revocable == nil || *revocable == a.revocable()) && (devices == nil || *devices == a.deviceAssignable()) &&
			minFree <= a.available() && a.available() <= maxFree && minHeld <= a.assigned && a.assigned <= maxHeld
	}
}

// asked tells whether a value is what a parameter asks for; an empty one asks for nothing.
func asked(parameter, value string) bool { return parameter == "" || parameter == value }

// Purchase buys licenses. A title that the location hadn't had is a book; see [Location.AddStock] for others.
func (l *Location) Purchase(adamID, pricing string, n int) error {
	return l.AddStock(Stock{AdamID: adamID, Pricing: pricing, Total: n})
}

// AddStock buys licenses, and says what they are if the location hasn't had the asset.
func (l *Location) AddStock(stock Stock) error {
	if stock.Pricing == "" {
		stock.Pricing = STDQ
	}
	_, err := l.actIf(op{Kind: opPurchase, Stock: &stock}, func() error {
		if stock.AdamID == "" || stock.Total < 0 || stock.Total == 0 && !stock.Unlimited {
			return errors.New("nothing is bought")
		}
		return nil
	})
	return err
}

func (l *Location) purchase(at time.Time, stock Stock) {
	if stock.Title.Name != "" {
		l.server.titles[stock.AdamID] = stock.Title
	}
	if stock.NoMetadata {
		l.server.hidden[stock.AdamID] = true
	}
	key := AssetKey{stock.AdamID, stock.Pricing}
	if a := l.assetOf[key]; a == nil {
		l.stock(newAsset(stock))
	} else if !a.unlimited {
		a.total += stock.Total
		a.bought += stock.Total
	}
	l.assetVersion.touch(at)
	l.notifyCount(at, key, stock.Total)
}

// Refund takes n licenses out of the stock. If fewer are left, the available count falls below zero: those that are held
// stay with their holders. See [Location.RefundFrom] for the other kind.
func (l *Location) Refund(adamID, pricing string, n int) error {
	key := AssetKey{adamID, pricing}
	_, err := l.actIf(op{Kind: opRefund, Key: key, N: n}, func() error {
		if a := l.assetOf[key]; a == nil || a.unlimited || n <= 0 || n > a.total {
			return fmt.Errorf("there aren't %d licenses of %s %s to refund", n, adamID, pricing)
		}
		return nil
	})
	return err
}

func (l *Location) refund(at time.Time, key AssetKey, n int) {
	a := l.assetOf[key]
	a.total -= n
	a.refunded += n
	l.assetVersion.touch(at)
	l.notifyCount(at, key, -n)
}
