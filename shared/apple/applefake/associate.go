package applefake

import "slices"

// associate checks POST /assets/associate, disassociate POST /assets/disassociate.
func associate(c *call) (any, *refusal)    { return assign(c, opAssociate) }
func disassociate(c *call) (any, *refusal) { return assign(c, opDisassociate) }

// assign checks in the order: JSON, required, limits, duplicates, asset flags; then it queues the event.
func assign(c *call, kind opKind) (any, *refusal) {
	var body manageAssets
	if r := c.decode(&body); r != nil {
		return nil, r
	}
	checks := []func(*call, opKind, *manageAssets) *refusal{required, withinLimits, unique, flagged, repeated}
	for _, check := range checks {
		if r := check(c, kind, &body); r != nil {
			return nil, r
		}
	}
	if r := c.unknownUsers(body.ClientUserIDs); r != nil {
		return nil, r
	}
	return c.submit(op{Kind: kind, Assets: &body})
}

func required(_ *call, _ opKind, body *manageAssets) *refusal {
	if len(body.Assets) == 0 {
		return refuse(9718)
	}
	if len(body.ClientUserIDs)+len(body.SerialNumbers) == 0 {
		return refuse(9719)
	}
	for i, key := range body.Assets {
		if key.PricingParam == "" {
			body.Assets[i].PricingParam = STDQ // as the old API has it
		} else if key.PricingParam != STDQ && key.PricingParam != PLUS {
			return refuse(9602)
		}
		if key.AdamID == "" {
			return refuse(9602)
		}
	}
	if slices.Contains(body.ClientUserIDs, "") || slices.Contains(body.SerialNumbers, "") {
		return refuse(9602)
	}
	return nil
}

// withinLimits counts what is unique, as Apple's limits are worded; the duplicates are refused after it.
func withinLimits(c *call, _ opKind, body *manageAssets) *refusal {
	limits := c.server.limits
	switch {
	case distinct(body.Assets) > limits.MaxAssets:
		return refuse(9700)
	case distinct(body.ClientUserIDs) > limits.MaxClientUserIDs:
		return refuse(9701)
	case distinct(body.SerialNumbers) > limits.MaxSerialNumbers:
		return refuse(9702)
	}
	return nil
}

func unique(_ *call, _ opKind, body *manageAssets) *refusal {
	if twice := duplicates(body.Assets); len(twice) > 0 {
		return refuse(9703).about(errorInfo{Assets: twice})
	}
	return uniqueTargets(body)
}

func uniqueTargets(body *manageAssets) *refusal {
	if twice := duplicates(body.ClientUserIDs); len(twice) > 0 {
		return refuse(9704).about(errorInfo{ClientUserIDs: twice})
	}
	if twice := duplicates(body.SerialNumbers); len(twice) > 0 {
		return refuse(9705).about(errorInfo{SerialNumbers: twice})
	}
	return nil
}

// flagged refuses the whole request, apps included, for one book that would go to a device or be taken back.
func flagged(c *call, kind opKind, body *manageAssets) *refusal {
	var fixed, noDevice []AssetKey
	for _, key := range body.Assets {
		a := c.location.assetOf[key]
		if a != nil && !a.deviceAssignable() && len(body.SerialNumbers) > 0 {
			noDevice = append(noDevice, key)
		}
		if a != nil && !a.revocable() && kind == opDisassociate {
			fixed = append(fixed, key)
		}
	}
	switch {
	case kind == opDisassociate && len(fixed) > 0:
		return refuse(9706).about(errorInfo{Assets: fixed})
	case kind == opAssociate && len(noDevice) > 0:
		return refuse(9707).about(errorInfo{Assets: noDevice})
	}
	return nil
}

// repeated refuses what is already held, if the switch says so.
func repeated(c *call, kind opKind, body *manageAssets) *refusal {
	if kind != opAssociate || c.server.options.DuplicateAssign != DuplicateRefuse {
		return nil
	}
	for _, key := range body.Assets {
		for _, id := range body.ClientUserIDs {
			if r := c.location.active(id); r != nil && c.location.owns(r, key) {
				return refuse(9602).about(errorInfo{Assets: []AssetKey{key}, ClientUserIDs: []string{id}})
			}
		}
	}
	return nil
}

// revoke checks POST /assets/revoke. It takes back what is revocable and leaves books alone.
func revoke(c *call) (any, *refusal) {
	var body manageAssets
	if r := c.decode(&body); r != nil {
		return nil, r
	}
	body.Assets = nil
	limits := c.server.limits
	switch {
	case len(body.ClientUserIDs)+len(body.SerialNumbers) == 0:
		return nil, refuse(9719)
	case slices.Contains(body.ClientUserIDs, "") || slices.Contains(body.SerialNumbers, ""):
		return nil, refuse(9602)
	case distinct(body.ClientUserIDs) > limits.MaxRevokeClientUserIDs:
		return nil, refuse(9701)
	case distinct(body.SerialNumbers) > limits.MaxRevokeSerialNumbers:
		return nil, refuse(9702)
	}
	if r := uniqueTargets(&body); r != nil {
		return nil, r
	}
	if r := c.unknownUsers(body.ClientUserIDs); r != nil {
		return nil, r
	}
	return c.submit(op{Kind: opRevoke, Assets: &body})
}

func distinct[T comparable](list []T) int {
	seen := make(map[T]bool, len(list))
	for _, v := range list {
		seen[v] = true
	}
	return len(seen)
}

// duplicates lists what is in a list more than once.
func duplicates[T comparable](list []T) []T {
	seen := make(map[T]int, len(list))
	var twice []T
	for _, v := range list {
		if seen[v]++; seen[v] == 2 {
			twice = append(twice, v)
		}
	}
	return twice
}
