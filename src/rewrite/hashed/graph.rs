//! Which changes depend on which: strongly connected components in the order in which they can be settled.

/// The components of a graph given by each node's dependencies; a component comes after all it depends on. Without
/// recursion, since a site may have a chain of thousands.
pub(super) fn components(depends: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let count = depends.len();
    let (mut index, mut low) = (vec![UNSEEN; count], vec![0; count]);
    let mut on_stack = vec![false; count];
    let (mut stack, mut out, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..count {
        if index[root] != UNSEEN {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some((node, edge)) = work.pop() {
            if edge == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&target) = depends[node].get(edge) {
                work.push((node, edge + 1));
                if index[target] == UNSEEN {
                    work.push((target, 0));
                } else if on_stack[target] {
                    low[node] = low[node].min(index[target]);
                }
                continue;
            }
            if low[node] == index[node] {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                component.sort_unstable();
                out.push(component);
            }
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_first() {
        // 0 → 1 ⇄ 2 → 3, 4 → 4
        let order = components(&[vec![1], vec![2], vec![1, 3], vec![], vec![4]]);
        assert_eq!(order, [vec![3], vec![1, 2], vec![0], vec![4]]);
        let chain: Vec<Vec<usize>> = (0..50_000).map(|i| if i < 49_999 { vec![i + 1] } else { vec![] }).collect();
        assert_eq!(components(&chain).len(), 50_000);
    }
}
