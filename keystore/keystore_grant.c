/* SPDX-License-Identifier: MIT */
/*
 * keystore_grant: keys for somebody else are signed, and those that come to me are asked who signed
 * them. A signature that is missing or not good takes nothing from anybody: the key is tried later than
 * those that are vouched for, and counts like them once it has opened its disk.
 */
#include <string.h>
#include <strings.h>
#include "inventory/inventory.h"
#include "keystore/grant.h"
#include "keystore/keystore.h"
#include "keystore/keystore_internal.h"
#include "keystore/sha256.h"

static const struct admin *
find_me(const struct keystore *ks)
{
	return ks->o.inventory ? inventory_find_admin(ks->o.inventory, ks->me) : NULL;
}

static void
set_fingerprint(char out[GRANT_FINGERPRINT], const char *fingerprint)
{
	strncpy(out, fingerprint, GRANT_FINGERPRINT - 1);
}

/* A grant without a signature is one all the same. */
static bool
go_unsigned(struct keystore *ks, const struct admin *who, const char *why, struct str *out)
{
	keystore_warn(&ks->o, "%s's arver will not know who granted this: %s", who->name, why);
	str_clear(out);
	return true;
}

/* What comes out must be what is read: words in gpg.conf make signatures longer. */
static bool
check_own(const struct str *text, struct err *e)
{
	struct grant again;
	bool there = false;

	return grant_parse(str_bytes(text), &there, &again, e) ||
	    err_wrap(e, "what gpg signed: the grant");
}

/*
 * Files are sealed before a disk is changed, and again after it, when a card may be gone: from the
 * first signature on, none that fails stops what was begun.
 */
bool
keystore_grant(struct keystore *ks, const struct admin *who, struct bytes stream, struct str *out,
    struct err *e)
{
	AUTO(str_done) struct str signature = { 0 };
	const struct admin *me = find_me(ks);
	struct grant grant = { .slot = who->slot };
	struct err fault = { 0 };

	if (!me || str_equal(who->name, ks->me))
		return true;
	set_fingerprint(grant.from, me->fingerprint);
	set_fingerprint(grant.to, who->fingerprint);
	sha256_hex(stream, grant.keys);
	grant_format(&grant, out);
	if (!gpg_sign(ks->gpg, me->fingerprint, str_bytes(out), &signature, &fault)) {
		if (ks->has_signed)
			return go_unsigned(ks, who, fault.text, out);
		*e = fault;
		return false;
	}
	if (signature.len == 0)
		return go_unsigned(ks, who, "your key cannot sign here (`gpg --quick-add-key` adds a subkey)", out);
	ks->has_signed = true;
	str_add_bytes(out, str_bytes(&signature));
	return check_own(out, e);
}

static const struct admin *
find_giver(const struct keystore *ks, const char *fingerprint)
{
	for (size_t i = 0; i < inventory_n_admins(ks->o.inventory); i++) {
		const struct admin *a = inventory_admin(ks->o.inventory, i);

		if (strcasecmp(a->fingerprint, fingerprint) == 0)
			return a;
	}
	return NULL;
}

/* What can be said without gpg. */
static bool
check_text(const struct keystore *ks, const struct grant *g, struct bytes stream,
    const struct admin *giver, struct err *why)
{
	const struct admin *me = find_me(ks);
	char sum[GRANT_SUM];

	sha256_hex(stream, sum);
	if (giver->revoked)
		return err_set(why, ERR_DATA, "is by %s, who is revoked", giver->name);
	if (strcmp(sum, g->keys) != 0)
		return err_set(why, ERR_DATA, "is for other keys");
	if (!me || strcasecmp(me->fingerprint, g->to) != 0)
		return err_set(why, ERR_DATA, "is for somebody else");
	return me->slot == g->slot ||
	    err_set(why, ERR_DATA, "is for slot %d, and yours is %d", g->slot, me->slot);
}

static bool
check(struct keystore *ks, const struct grant *g, struct bytes stream, struct voucher *out)
{
	AUTO(str_done) struct str public_key = { 0 };
	const struct admin *giver = find_giver(ks, g->from);
	struct gpg_recipient_query q = { 0 };
	struct err ignored;

	if (!giver) {
		err_set(&out->why, ERR_DATA, "is by %s, who is not in users", g->from);
		return false;
	}
	if (!check_text(ks, g, stream, giver, &out->why))
		return false;
	/* without it the key may be in the keyring */
	(void)!keystore_read_public(ks, giver->name, &public_key, &ignored);
	q.admin = giver->name;
	q.fingerprint = giver->fingerprint;
	q.public_key = public_key.ptr;
	if (!gpg_verify(ks->gpg, &q, g->text, g->signature, &out->time, &out->why))
		return false;
	out->by = giver->name;
	return true;
}

void
keystore_vouch(struct keystore *ks, const struct keyfile_parts *parts, struct voucher *out)
{
	struct grant grant;

	*out = (struct voucher){ 0 };
	if (ks->o.inventory && grant_parse(parts->rest, &out->there, &grant, &out->why) && out->there)
		(void)check(ks, &grant, parts->stream, out);
}
