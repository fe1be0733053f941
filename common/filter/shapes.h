/* shapes.h - what filters may select of nodes, services, checks, intentions (http-api.md 1.9):
 * indexes, definitions and opaque configuration are not among it. */
#ifndef CU_FILTER_SHAPES_H
#define CU_FILTER_SHAPES_H

#include "common/filter/filter.h"

extern const struct cu_filter_shape cu_filter_node;            /* curia.v1.Node */
extern const struct cu_filter_shape cu_filter_service;         /* curia.v1.Service */
extern const struct cu_filter_shape cu_filter_check;           /* curia.v1.Check */
extern const struct cu_filter_shape cu_filter_catalog_service; /* curia.v1.CatalogService */
extern const struct cu_filter_shape cu_filter_health_entry;    /* curia.v1.HealthEntry */
extern const struct cu_filter_shape cu_filter_intention;       /* curia.v1.Intention */

#endif
