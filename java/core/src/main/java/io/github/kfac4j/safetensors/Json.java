package io.github.kfac4j.safetensors;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The subset of JSON that a header may hold: objects ({@link Map}), arrays ({@link List}), strings
 * and non-negative integers ({@link Long}). Everything else, and every repeated key, is an error.
 */
final class Json {
  /** A header is an object of objects of arrays; deeper input is refused before the stack is. */
  private static final int MAX_DEPTH = 4;

  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /** Parses a whole document that is one object. */
  static Map<String, Object> parseObject(String text) throws InvalidHeaderException {
    Json json = new Json(text);
    if (json.peek() != '{') {
      throw json.error("expected '{'");
    }
    Map<String, Object> object = json.object(1);
    json.skipSpace();
    if (json.at != text.length()) {
      throw json.error("unexpected text after the end");
    }
    return object;
  }

  /** Appends a quoted, escaped string. */
  static void quote(String s, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append("\\u%04x".formatted((int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }

  private Object value(int depth) throws InvalidHeaderException {
    skipSpace();
    char c = peek();
    if (depth > MAX_DEPTH) {
      throw error("nested too deeply");
    }
    return switch (c) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      default -> integer();
    };
  }

  private Map<String, Object> object(int depth) throws InvalidHeaderException {
    Map<String, Object> members = new LinkedHashMap<>();
    expect('{');
    if (nextIs('}')) {
      return members;
    }
    do {
      skipSpace();
      String key = string();
      expect(':');
      if (members.containsKey(key)) {
        throw error("repeated name '" + key + "'");
      }
      members.put(key, value(depth + 1));
    } while (nextIs(','));
    expect('}');
    return members;
  }

  private List<Object> array(int depth) throws InvalidHeaderException {
    List<Object> elements = new ArrayList<>();
    expect('[');
    if (nextIs(']')) {
      return elements;
    }
    do {
      elements.add(value(depth + 1));
    } while (nextIs(','));
    expect(']');
    return elements;
  }

  private Long integer() throws InvalidHeaderException {
    int start = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    String digits = text.substring(start, at);
    if (digits.isEmpty() || (digits.length() > 1 && digits.charAt(0) == '0')) {
      throw error("expected a string, an object, an array or a non-negative integer");
    }
    try {
      return Long.valueOf(digits);
    } catch (NumberFormatException e) {
      throw error("integer out of range: " + digits);
    }
  }

  private String string() throws InvalidHeaderException {
    if (peek() != '"') {
      throw error("expected '\"'");
    }
    at++;
    StringBuilder out = new StringBuilder();
    while (true) {
      char c = peek();
      at++;
      if (c == '"') {
        return out.toString();
      } else if (c < ' ') {
        throw error("control character in a string");
      }
      out.append(c == '\\' ? escape() : c);
    }
  }

  private char escape() throws InvalidHeaderException {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> unicode();
      default -> throw error("unknown escape '\\" + c + "'");
    };
  }

  private char unicode() throws InvalidHeaderException {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0) {
        throw error("expected four hexadecimal digits");
      }
      code = code << 4 | digit;
      at++;
    }
    return (char) code;
  }

  private boolean nextIs(char c) throws InvalidHeaderException {
    skipSpace();
    if (peek() != c) {
      return false;
    }
    at++;
    return true;
  }

  private void expect(char c) throws InvalidHeaderException {
    if (!nextIs(c)) {
      throw error("expected '" + c + "'");
    }
  }

  private char peek() throws InvalidHeaderException {
    if (at >= text.length()) {
      throw error("unexpected end");
    }
    return text.charAt(at);
  }

  private void skipSpace() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private InvalidHeaderException error(String reason) {
    return new InvalidHeaderException("header: %s at character %d".formatted(reason, at));
  }
}
