package apple

import "net/http"

// Numbers of Apple's errors on which code decides. Apple: Handling error responses.
const (
	internalError   = 9603
	gone            = 9634
	maintenance     = 9644
	tooManyRequests = 9646
	tooManyAssets   = 9700
	tooManyReaders  = 9701
	tooManyUsers    = 9714
	unavailable     = 9729
)

// broken says that the service didn't get to the request properly: unlike a refusal, it isn't a promise that nothing
// happened.
func (e *Error) broken() bool {
	return e.Number == internalError || e.Number == maintenance || e.Number == unavailable
}

// outdated says that our copy of the service configuration is.
func (e *Error) outdated() bool {
	switch e.Number {
	case gone, tooManyAssets, tooManyReaders, tooManyUsers:
		return true
	default:
		return false
	}
}

// Retryable says that the same request may succeed later without anybody doing anything.
func (e *Error) Retryable() bool {
	return e.broken() || e.Number == tooManyRequests ||
		e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
}

// TokenProblem says that Apple doesn't accept the token: nothing will work in this location before it is renewed.
func (e *Error) TokenProblem() bool {
	switch e.Number {
	case 9601, 9621, 9622, 9625, 9637, 9647, 9722:
		return true
	default:
		return e.Status == http.StatusUnauthorized
	}
}

// Remedy says what the administrator should do. It never repeats Apple's message, which changes.
func (e *Error) Remedy() string {
	if text, ok := remedies[e.Number]; ok {
		return text
	}
	switch {
	case e.TokenProblem():
		return remedies[9622]
	case e.Retryable():
		return remedies[internalError]
	default:
		return "Bookplate doesn't know this error. Look the number up in Apple's documentation " +
			"(Handling error responses), and repeat the step once the cause is gone."
	}
}

const (
	fetchToken  = "Download a new content token of this location from Apple and renew the token in Bookplate."
	nothingToDo = "Nothing: Bookplate tries again by itself."
	reportIt    = "Nothing can be done about it in Apple's portal. Please report this as a mistake of Bookplate."
)

var remedies = map[int]string{
	9601: fetchToken,
	9602: reportIt,
	9603: nothingToDo + " If it goes on for hours, ask Apple's support.",
	9609: "The reader isn't registered at Apple any more. Synchronize the location; Bookplate then registers the reader again.",
	9621: "The content token has expired. " + fetchToken,
	9622: "Apple doesn't know the content token. " + fetchToken,
	9625: "The content token was revoked: a newer one was downloaded, or the password of the account that downloaded it " +
		"was changed. " + fetchToken,
	9634: nothingToDo + " It reads Apple's service configuration again.",
	9635: "Apple can't link this Managed Apple Account. Check in Apple's portal that it exists and belongs to the same " +
		"organization as the token, and correct the person in the directory.",
	9637: "The account that downloaded the token may not manage licenses. Download the token with an account whose role " +
		"includes that, and renew the token in Bookplate.",
	9641: "This Managed Apple Account is already linked to another reader. Find out which of the two people it belongs to, " +
		"and correct the other one in the directory.",
	9644: "Nothing: Apple's service is under maintenance. Bookplate tries again by itself.",
	9646: nothingToDo + " If it goes on, look for another system that uses the same location.",
	9647: "This is a token of an old kind. " + fetchToken,
	9650: nothingToDo,
	9700: nothingToDo, 9701: nothingToDo, 9702: nothingToDo,
	9703: reportIt, 9704: reportIt, 9705: reportIt,
	9706: "A book license can't be taken back. This is how Apple gives books; nothing was changed.",
	9707: "A book can't be given to a device, only to a person.",
	9708: "Nothing: Apple has forgotten the request. Bookplate finds out from the licenses what became of it.",
	9709: "There aren't enough licenses. Buy more in Apple's portal; Bookplate goes on by itself.",
	9710: "Configure the public URL for notifications and its secret together.",
	9711: "The public URL for notifications is too long for Apple. Configure a shorter one.",
	9712: "The public URL for notifications must begin with https://. Correct it.",
	9713: "The text that describes this installation to Apple is too long. Configure a shorter one.",
	9714: nothingToDo,
	9715: reportIt,
	9716: "Nothing: the reader is already registered.",
	9717: "Apple doesn't accept the person's e-mail address. Correct it in the directory.",
	9718: reportIt, 9719: reportIt, 9720: reportIt,
	9721: "Nothing: Bookplate reads the whole location again.",
	9722: "The stored token doesn't have the form of a content token. " + fetchToken,
	9723: reportIt,
	9724: reportIt,
	9725: "The name of this installation is too long for Apple. Configure a shorter one.",
	9726: reportIt, 9727: reportIt,
	9728: "Apple can't reach the public URL for notifications. Check that it is reachable from the internet with a valid " +
		"certificate, then claim the location again.",
	9729: "Nothing: Apple's service is unavailable at the moment. Bookplate tries again by itself.",

	// Only of the older service, but Apple may pass them on.
	9605: "The book isn't sold in the location's country.",
	9607: "A book license can't be taken back. This is how Apple gives books; nothing was changed.",
	9616: "Nothing: the reader already has the book.",
	9624: "The license was refunded. Synchronize the location.",
	9626: "Somebody else took the license. Synchronize the location, and look for another system that uses it.",
	9643: "The license is part of a transfer to another location. Try again once the transfer is over.",
}
