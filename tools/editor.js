// The SQL editor of the pages, bundled by tools/build_assets.py. Knows a textarea, no page.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { MSSQL, PostgreSQL, SQLite, StandardSQL, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
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
  ".cm-fault": { backgroundColor: "var(--bad-soft)", borderBottom: "2px solid var(--bad)" },
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

const setFault = StateEffect.define();

// The place at which the database saw a fault; whatever is typed next takes the mark away.
const fault = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setFault)) continue;
      return effect.value ? Decoration.set([Decoration.mark({ class: "cm-fault" }).range(...effect.value)]) : Decoration.none;
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** The word at a place, or the character before it at the end of the text. */
function findWord(doc, at) {
  const rest = doc.sliceString(at, at + 200).match(/^(?:'[^']*'?|"[^"]*"?|[\p{L}\p{N}_]+|\S)/u);
  return rest ? [at, at + rest[0].length] : [Math.max(at - 1, 0), Math.max(at, 1)];
}

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
        look, syntaxHighlighting(colours), watermarkNames, fault,
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
    /** Marks the word at a character of the text; null takes the mark away. */
    markFault: (at) => {
      const range = at === null || !view.state.doc.length ? null : findWord(view.state.doc, Math.min(at, view.state.doc.length));
      const scroll = range ? [EditorView.scrollIntoView(range[0], { y: "center" })] : [];
      view.dispatch({ effects: [setFault.of(range), ...scroll] });
    },
  };
}
