/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_COMPONENTS_H
#define ENGINE_PLAY_COMPONENTS_H

#include <play/play.h>

/*
 * The vocabulary of verdicts. A component belongs to the layer where the
 * change that heals the fault has to be made, not to the one where the symptom
 * shows; so one name can stand in two layers. A finer cause goes into the
 * verdict's id and its sentence. Add a name only when none fits.
 */
size_t pw_components(enum pw_layer layer, const char *const **ret); /* 0 for none and unknown */
bool pw_component_known(enum pw_layer layer, const char *name);
size_t pw_layer_words(const char *const **ret); /* all seven, by enum pw_layer; the first PW_LAYER_COUNT are layers */

#endif
