/** Replaces the named characters of HTML 4, which XML does not know. */

const latin =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para " +
  "middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute " +
  "Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml " +
  "Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml " +
  "eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml"

const greek =
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau " +
  "upsilon phi chi psi omega"

const others =
  "Œ OElig œ oelig Š Scaron š scaron Ÿ Yuml ƒ fnof ˆ circ ˜ tilde ϑ thetasym ϒ upsih ϖ piv \u2002 ensp \u2003 emsp " +
  "\u2009 thinsp \u200c zwnj \u200d zwj \u200e lrm \u200f rlm – ndash — mdash ‘ lsquo ’ rsquo ‚ sbquo “ ldquo ” rdquo „ bdquo " +
  "† dagger ‡ Dagger • bull … hellip ‰ permil ′ prime ″ Prime ‹ lsaquo › rsaquo ‾ oline ⁄ frasl € euro ℑ image ℘ weierp " +
  "ℜ real ™ trade ℵ alefsym ← larr ↑ uarr → rarr ↓ darr ↔ harr ↵ crarr ⇐ lArr ⇑ uArr ⇒ rArr ⇓ dArr ⇔ hArr ∀ forall ∂ part " +
  "∃ exist ∅ empty ∇ nabla ∈ isin ∉ notin ∋ ni ∏ prod ∑ sum − minus ∗ lowast √ radic ∝ prop ∞ infin ∠ ang ∧ and ∨ or ∩ cap " +
  "∪ cup ∫ int ∴ there4 ∼ sim ≅ cong ≈ asymp ≠ ne ≡ equiv ≤ le ≥ ge ⊂ sub ⊃ sup ⊄ nsub ⊆ sube ⊇ supe ⊕ oplus ⊗ otimes ⊥ perp " +
  "⋅ sdot ⌈ lceil ⌉ rceil ⌊ lfloor ⌋ rfloor ⟨ lang ⟩ rang ◊ loz ♠ spades ♣ clubs ♥ hearts ♦ diams"

const read = (): ReadonlyMap<string, string> => {
  const characters = new Map<string, string>()
  for (const [index, name] of latin.split(" ").entries()) characters.set(name, String.fromCharCode(160 + index))
  for (const [index, name] of greek.split(" ").entries()) {
    characters.set(name, String.fromCharCode(945 + index))
    // The final sigma has no capital.
    if (name !== "sigmaf") {
      characters.set(name.replace(/^./, (letter) => letter.toUpperCase()), String.fromCharCode(913 + index))
    }
  }
  for (const [, character = "", name = ""] of others.matchAll(/(\S|[\u2002\u2003\u2009]) (\w+)/g)) {
    characters.set(name, character)
  }
  return characters
}

const ofXml = ["amp", "lt", "gt", "quot", "apos"]

/** Replaces HTML names of characters. Unknown names stay, and the parser refuses them. */
export const resolve = (markup: string): string => {
  // Few messages have a name that XML does not know.
  let known: ReadonlyMap<string, string> | undefined
  return markup.replace(
    /&([A-Za-z][A-Za-z0-9]*);/g,
    (reference, name: string) => ofXml.includes(name) ? reference : (known ??= read()).get(name) ?? reference
  )
}
