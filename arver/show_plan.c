/* SPDX-License-Identifier: MIT */
/* What would be done: host by host, step by step, each in a few words. */
#include "arver/show.h"

#include <stdio.h>
#include "arver/json.h"
#include "plan/plan.h"

/* "colo/web1 (web1.example.org), after colo/nas" */
static void
show_lane(const struct plan *p, const struct host *h)
{
	printf("%s (%s)", path_shown(h->path),
	    h->transport == TRANSPORT_LOCAL ? "this machine" : h->address);
	for (size_t i = 0; p->order == PLAN_AFTER && i < h->n_after; i++)
		printf("%s %s", i ? "," : ", after", path_shown(h->after[i]->path));
	for (size_t i = 0, n = 0; p->order == PLAN_BEFORE && i < p->n; i++)
		for (size_t k = 0; k < p->lanes[i].host->n_after; k++)
			if (p->lanes[i].host->after[k] == h)
				printf("%s %s", n++ ? "," : ", after",
				    path_shown(p->lanes[i].host->path));
	printf("\n");
}

static void
hook_words(const struct host *h, const struct step *s, struct str *out)
{
	const struct disk *d = s->disk;
	const struct hook *hook = d ? &d->hooks[s->hook] : &h->hooks[s->hook];

	str_addf(out, "%s%s%s:", d ? d->name : "", d ? " " : "", hook_kind_name(s->hook));
	for (size_t i = 0; i < hook->words.n; i++)
		str_addf(out, " %s", hook->words.at[i]);
}

static void
add_slot(struct str *out, int slot)
{
	if (slot >= 0)
		str_addf(out, " %d", slot);
}

/* What a step does, in a few words. */
static void
step_words(const struct host *h, const struct step *s, struct str *out)
{
	const struct disk *d = s->disk;

	switch (s->kind) {
	case STEP_STATUS:
		str_add(out, "see which disks are open");
		break;
	case STEP_HOOK:
		hook_words(h, s, out);
		break;
	case STEP_OPEN:
		str_addf(out, "open %s as /dev/mapper/%s", d->device, d->name);
		break;
	case STEP_CLOSE:
		str_addf(out, "close /dev/mapper/%s on %s", d->name, d->device);
		break;
	case STEP_VERIFY:
		str_addf(out, "test your key on %s", d->device);
		break;
	case STEP_INFO:
	case STEP_SURVEY:
		str_addf(out, "read the LUKS header of %s", d->device);
		break;
	case STEP_PROBE:
		str_addf(out, "look what lies on %s", d->device);
		break;
	case STEP_FORMAT:
		str_addf(out, "format %s with your key in slot %d", d->device, s->slot);
		break;
	case STEP_ADD:
		str_addf(out, "add the key to %s", s->slot >= 0 ? "slot" : "a spare slot");
		add_slot(out, s->slot);
		str_addf(out, " of %s and prove it", d->device);
		break;
	case STEP_KILL:
		str_addf(out, "empty %s", s->slot >= 0 ? "slot" : "what was left over in other slots");
		add_slot(out, s->slot);
		str_addf(out, " of %s", d->device);
		break;
	}
}

static void
show_step(FILE *json, const struct host *h, const struct step *s)
{
	AUTO(str_done) struct str words = { 0 };

	step_words(h, s, &words);
	if (json)
		json_plan_step(json, h, s, str_text(&words));
	else
		printf("    %s%s%s%s\n", str_text(&words), s->when ? " (" : "",
		    s->when ? s->when : "", s->when ? ")" : "");
}

static void
show_here(FILE *json, unsigned phase, const char *words)
{
	if (json)
		json_plan_here(json, phase, words);
	else
		printf("here\n    %s\n", words);
}

void
show_plan(FILE *json, const struct plan *p)
{
	/* What happens here may come after the last visit, too. */
	for (unsigned phase = 0; phase <= p->n_phases; phase++) {
		if (phase < COUNT(p->between) && p->between[phase])
			show_here(json, phase, p->between[phase]);
		for (size_t i = 0; i < p->n; i++) {
			const struct lane *lane = &p->lanes[i];
			bool named = json;

			for (size_t k = 0; k < lane->n; k++) {
				if (lane->steps[k].phase != phase)
					continue;
				if (!named)
					show_lane(p, lane->host);
				named = true;
				show_step(json, lane->host, &lane->steps[k]);
			}
		}
	}
}
