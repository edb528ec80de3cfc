const UUID = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

/** A canonical path with what varies from request to request left open, for grouping: `/orders/{id:int}/items`. */
export function pathTemplate(path: string): string {
  let template = "";
  let start = 1;
  while (start <= path.length) {
    const slash = path.indexOf("/", start);
    const end = slash === -1 ? path.length : slash;
    template += `/${openSegment(path.slice(start, end))}`;
    start = end + 1;
  }
  return template;
}

function openSegment(segment: string): string {
  const first = segment.charCodeAt(0);
  const isDigit = first >= 0x30 && first <= 0x39;
  if (!isDigit && segment.length < 16) return segment;
  if (isDigit && segment.length <= 19 && /^\d+$/.test(segment)) return "{id:int}";
  if (isDigit && /^\d{4}-\d{2}-\d{2}$/.test(segment)) return "{date:date}";
  if (segment.length === 36 && UUID.test(segment)) return "{id:uuid}";
  return segment.length >= 16 && /\d/.test(segment) && /^[0-9A-Fa-f]+$/.test(segment) ? "{id:hex}" : segment;
}
