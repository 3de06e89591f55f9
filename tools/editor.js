// The SQL editor of the pages, bundled by tools/build_assets.py. Knows a textarea, no page.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { MSSQL, PostgreSQL, SQLite, StandardSQL, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import {
  Decoration, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, MatchDecorator, ViewPlugin,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

const DIALECTS = { postgresql: PostgreSQL, sqlite: SQLite, sqlserver: MSSQL };

const look = EditorView.theme({
  "&": { backgroundColor: "var(--ground)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--accent)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", minHeight: "7em", maxHeight: "60vh" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--muted)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLineGutter": { color: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "var(--accent-soft)",
  },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { outline: "1px solid var(--line-strong)", background: "none" },
  ".cm-placeholder-name": { backgroundColor: "var(--warn-soft)", color: "var(--warn)", borderRadius: "2px" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
]);

const watermarkName = new MatchDecorator({
  regexp: /\{[A-Za-z_][A-Za-z0-9_]*\}/g,
  decoration: Decoration.mark({ class: "cm-placeholder-name" }),
});

const watermarkNames = ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.decorations = watermarkName.createDeco(view);
    }
    update(update) {
      this.decorations = watermarkName.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

/** Puts an editor in the place of a textarea, which keeps the text and is what the form sends. */
export function attach(textarea, { nonce, label, onRun }) {
  const run = () => {
    onRun?.();
    return Boolean(onRun);
  };
  const view = new EditorView({
    state: EditorState.create({
      doc: textarea.value,
      extensions: [
        EditorView.cspNonce.of(nonce),
        EditorState.readOnly.of(textarea.readOnly || textarea.disabled),
        lineNumbers(), history(), drawSelection(), bracketMatching(), highlightActiveLine(), EditorView.lineWrapping,
        // Tab is left alone: it must lead on to the next field.
        keymap.of([{ key: "Mod-Enter", run, preventDefault: true }, ...defaultKeymap, ...historyKeymap]),
        sql({ dialect: DIALECTS[textarea.dataset.editor] ?? StandardSQL }),
        look, syntaxHighlighting(colours), watermarkNames,
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          textarea.value = update.state.doc.toString();
          textarea.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  textarea.before(view.dom);
  return {
    focus: () => view.focus(),
    setText: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    select: (at) => view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) }, scrollIntoView: true }),
  };
}
