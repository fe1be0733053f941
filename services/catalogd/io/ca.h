/* ca.h - the built-in certificate authority (mesh.md 1): a root when there is none yet, a duty, and
 * leaves at a limited rate. */
#ifndef CATALOG_IO_CA_H
#define CATALOG_IO_CA_H

#include "services/catalogd/io/shell.h"

struct catalog_ca;

enum {
    CATALOG_CA_PERIOD_MS = 500, /* of the look whether there is a root */
    CATALOG_CSR_WAIT_MS = 500,  /* for a slot (mesh.md 1.7) */
    CATALOG_LEAF_BACKDATE_S = 60,
};

struct catalog_ca *catalog_ca_new(struct catalog_shell *shell);
void catalog_ca_free(struct catalog_ca *ca); /* takes NULL */

/* The run of the duty. */
void catalog_ca_duty(void *shell);

/* Answers `rq`, a ConnectCa.Sign, now or later. */
void catalog_ca_sign(struct catalog_ca *ca, struct cu_rq *rq);

#endif
