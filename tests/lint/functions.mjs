// How long a C++ function may be.
//
// Counted is the body, from the line of its opening brace to that of its closing one: parameters and a
// constructor's initialiser list, which only names members, are not. A lambda counts as part of the function
// around it; so does everything in parentheses, such as the arguments of a macro. A macro's definition is no
// function.

const MAX_BODY_LINES = 60;
const OPENING = '([{';
const CLOSING = ')]}';

// Comments, literals and preprocessor lines, in the order in which they must be tried; digit separators are
// not the beginning of a character.
const NO_CODE =
  /\/\/[^\n]*|\/\*[^]*?\*\/|R"([^()\\\s]*)\([^]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*/gm;

// The text with its lines kept and all that could hold a bracket without meaning one taken out.
const codeOf = (text) => text.replace(NO_CODE, (found) => found.replace(/[^\n]/g, ' '));

const SCOPE = /(^|[\s;])(namespace|class|struct|union|enum|extern)\b[^()]*$/;
// After a signature: qualifiers, a trailing return type, and an initialiser list with its own braces done.
const BODY_FOLLOWS = /(\)|\b(const|noexcept|override|final|try)|->[^;{}]*|\})\s*$/;

// What a brace opens, told by the text before it: since the last statement, declaration or block.
function kindOf(head) {
  if (SCOPE.test(head)) return 'scope';
  return head.includes('(') && BODY_FOLLOWS.test(head) ? 'function' : 'value';
}

// The first and the last line of every function body.
function bodiesOf(text) {
  const code = codeOf(text);
  const bodies = [];
  const open = [];
  let line = 1;
  let head = '';
  for (const character of code) {
    if (character === '\n') line += 1;
    const innermost = open.at(-1);
    const atScope = innermost === undefined || innermost.kind === 'scope';
    if (OPENING.includes(character)) {
      const kind = character === '{' && atScope ? kindOf(head) : 'inner';
      open.push({ kind, line });
      head = kind === 'scope' ? '' : head + character;
    } else if (CLOSING.includes(character)) {
      const closed = open.pop();
      if (closed?.kind === 'function') bodies.push({ first: closed.line, last: line });
      const ended = closed?.kind === 'function' || closed?.kind === 'scope';
      head = ended ? '' : head + character;
    } else if (character === ';' && atScope) {
      head = '';
    } else {
      head += character;
    }
  }
  return bodies;
}

// Functions are short enough to be read in one go.
export function functions({ path, text }) {
  if (!/\.(cc|h)$/.test(path)) return [];
  return bodiesOf(text)
    .map(({ first, last }) => ({ line: first, lines: last - first + 1 }))
    .filter(({ lines }) => lines > MAX_BODY_LINES)
    .map(({ line, lines }) => ({
      line,
      message: `a function body of ${lines} lines; at most ${MAX_BODY_LINES}: split it by what it does`,
    }));
}
