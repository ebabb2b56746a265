package applefake

import "net/http"

// known lists Apple's error numbers with their HTTP status (0: only in events) and a text of our own.
// Source: Apple, "Handling error responses".
var known = []struct {
	number, status int
	message        string
}{
	{9601, 401, "Authentication is required."},
	{9602, 400, "An argument is invalid."},
	{9603, 500, "Internal error."},
	{9609, 400, "There is no registered user with this client user id."},
	{9616, 0, "The license is already assigned."},
	{9621, 401, "The token has expired."},
	{9622, 401, "The authentication token is invalid."},
	{9625, 401, "The token has been revoked."},
	{9634, 410, "The service is no longer available."},
	{9635, 0, "The Apple Account can't be linked to this user."},
	{9641, 0, "The Apple Account is already linked to another user."},
	{9644, 0, "The service is in maintenance."},
	{9646, 429, "There are too many requests for the organization."},
	{9650, 400, "The page index is out of range."},
	{9700, 400, "There are too many assets."},
	{9701, 400, "There are too many users."},
	{9702, 400, "There are too many serial numbers."},
	{9703, 400, "Assets are duplicate."},
	{9704, 400, "Users are duplicate."},
	{9705, 400, "Serial numbers are duplicate."},
	{9706, 400, "The asset is not revocable."},
	{9707, 400, "The asset can't be assigned to devices."},
	{9708, 400, "The event id is unknown."},
	{9709, 0, "There are not enough licenses."},
	{9710, 400, "Notification URL and token must be given together."},
	{9711, 400, "The notification URL or token is too long."},
	{9712, 400, "The notification URL is not a valid HTTPS URL."},
	{9713, 400, "The metadata of mdmInfo is too long."},
	{9714, 400, "There are too many users."},
	{9715, 400, "Users are duplicate."},
	{9716, 0, "An active user with this client user id exists."},
	{9717, 400, "The email address is invalid."},
	{9718, 400, "Assets are missing."},
	{9719, 400, "Users or serial numbers are missing."},
	{9720, 400, "Users are missing."},
	{9721, 400, "The version id is invalid."},
	{9722, 401, "The Authorization header is malformed."},
	{9723, 400, "mdmInfo is incomplete."},
	{9724, 400, "The id of mdmInfo is too long."},
	{9725, 400, "The name of mdmInfo is too long."},
	{9726, 405, "The method is not allowed."},
	{9727, 415, "The content type is not supported."},
	{9728, 400, "The notification URL can't be reached."},
	{9729, 503, "The service is temporarily unavailable."},
}

// refusal is an answer that says no.
type refusal struct {
	ErrorNumber  int        `json:"errorNumber"`
	ErrorMessage string     `json:"errorMessage"`
	ErrorInfo    *errorInfo `json:"errorInfo,omitempty"`

	status int
}

// errorInfo names the parts of a request that an error is about.
type errorInfo struct {
	Assets        []AssetKey `json:"assets,omitempty"`
	ClientUserIDs []string   `json:"clientUserIds,omitempty"`
	SerialNumbers []string   `json:"serialNumbers,omitempty"`
}

func refuse(number int) *refusal {
	r := &refusal{ErrorNumber: number, status: http.StatusBadRequest}
	for _, k := range known {
		if k.number == number {
			r.ErrorMessage = k.message
			if k.status != 0 {
				r.status = k.status
			}
		}
	}
	return r
}

func (r *refusal) about(info errorInfo) *refusal {
	r.ErrorInfo = &info
	return r
}
