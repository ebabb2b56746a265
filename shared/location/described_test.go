package location

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/token"
)

func TestAnOwnerIsNamedAsAppleDoes(t *testing.T) {
	for metadata, want := range map[string]string{
		"": `managed by "OtherMDM". Bookplate`, "mdm.example": `managed by "OtherMDM" (mdm.example). Bookplate`,
	} {
		heard := &apple.OwnerError{Owner: apple.MDMInfo{ID: "other", Name: "OtherMDM", Metadata: metadata}}
		if _, why := stopped(heard, time.Time{}, token.Record{}); !strings.Contains(why, want) {
			t.Error(why)
		}
	}
}
