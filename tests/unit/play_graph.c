/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawings of a playbook. */
#include "play_util.h"
#include "tap.h"

static const char text[] =
	"packetwalk: 1\nname: small\ntitle: A \"small\" <one>\ninputs: {to: {type: service}}\nstart: knock\n"
	"steps:\n"
	"  knock: {title: \"Knock & <wait>\", check: knock, with: {address: 10.0.0.1, port: 80}, on: {connected: {verdict: fine}, [refused, timeout]: {go: who}, else: {go: sub}}}\n"
	"  who: {ask: Who?, answers: [me], on: {me: {verdict: mine}, else: {go: sub}}}\n"
	"  sub: {title: Look closer, playbook: callee, on: {healthy: {verdict: fine}, else: {verdict: callee}}}\n"
	"verdicts:\n  fine: {layer: none, says: Fine.}\n  mine: {layer: application, component: app-bind, says: Mine., do: Mend.}\n";

static void draws(const struct pw_play *play, enum pw_graph format, const char *const *path, size_t n, const char *want, const char *what)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 1 << 16);
	pw_play_graph(play, format, path, n, &out);
	is_str(pw_buf_str(&out), want, what);
}

int main(void)
{
	struct pw_play_env env = FAKE_ENV("tests/play/valid");
	struct pw_play *play = load_good(text, &env);
	static const char *const path[] = { "knock", "sub" };
	if (!ok(play != NULL, "loads"))
		return tap_done();
	draws(play, PW_GRAPH_TEXT, NULL, 0,
	      "small: A \"small\" <one>\n\n"
	      "knock: Knock & <wait> [knock]\n"
	      "  connected -> fine (none)\n"
	      "  refused, timeout -> who: Who? [asks]\n"
	      "    me -> mine (application/app-bind)\n"
	      "    else -> sub: Look closer [callee]\n"
	      "      healthy -> fine (none)\n"
	      "      else -> the verdict of the called playbook\n"
	      "  else -> sub (above)\n", "a tree");
	draws(play, PW_GRAPH_TEXT, path, 2,
	      "small: A \"small\" <one>\n\n"
	      "* knock: Knock & <wait> [knock]\n"
	      "  connected -> fine (none)\n"
	      "  refused, timeout -> who: Who? [asks]\n"
	      "    me -> mine (application/app-bind)\n"
	      "    else -> * sub: Look closer [callee]\n"
	      "      healthy -> fine (none)\n"
	      "      else -> the verdict of the called playbook\n"
	      "  * else -> * sub (above)\n", "with the path marked");
	draws(play, PW_GRAPH_MERMAID, path, 2,
	      "flowchart TD\n"
	      "  knock[\"Knock #38; #60;wait#62;<br/>knock\"]\n"
	      "  who{{\"Who?<br/>asks\"}}\n"
	      "  sub[\"Look closer<br/>callee\"]\n"
	      "  verdict.fine([\"fine (none)\"])\n"
	      "  verdict.mine([\"mine (application/app-bind)\"])\n"
	      "  verdict.callee([\"the verdict of the called playbook\"])\n"
	      "  knock -->|\"connected\"| verdict.fine\n"
	      "  knock -->|\"refused, timeout\"| who\n"
	      "  knock ==>|\"else\"| sub\n"
	      "  who -->|\"me\"| verdict.mine\n"
	      "  who -->|\"else\"| sub\n"
	      "  sub -->|\"healthy\"| verdict.fine\n"
	      "  sub -->|\"else\"| verdict.callee\n"
	      "  class knock,sub walked\n  classDef walked stroke-width:4px\n", "Mermaid");
	draws(play, PW_GRAPH_DOT, path, 2,
	      "digraph \"small\" {\n"
	      "  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n"
	      "  \"knock\" [label=\"Knock & <wait>\\nknock\", penwidth=3];\n"
	      "  \"who\" [label=\"Who?\\nasks\", shape=hexagon];\n"
	      "  \"sub\" [label=\"Look closer\\ncallee\", penwidth=3];\n"
	      "  \"verdict.fine\" [shape=ellipse, label=\"fine (none)\"];\n"
	      "  \"verdict.mine\" [shape=ellipse, label=\"mine (application/app-bind)\"];\n"
	      "  \"verdict.callee\" [shape=ellipse, label=\"the verdict of the called playbook\"];\n"
	      "  \"knock\" -> \"verdict.fine\" [label=\"connected\"];\n"
	      "  \"knock\" -> \"who\" [label=\"refused, timeout\"];\n"
	      "  \"knock\" -> \"sub\" [label=\"else\", penwidth=3];\n"
	      "  \"who\" -> \"verdict.mine\" [label=\"me\"];\n"
	      "  \"who\" -> \"sub\" [label=\"else\"];\n"
	      "  \"sub\" -> \"verdict.fine\" [label=\"healthy\"];\n"
	      "  \"sub\" -> \"verdict.callee\" [label=\"else\"];\n"
	      "}\n", "DOT");
	pw_play_free(play);
	return tap_done();
}
