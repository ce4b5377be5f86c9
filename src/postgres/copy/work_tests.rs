use super::super::place::Foreign;
use super::*;
use crate::postgres::name::TableName;

fn table(bytes: i64) -> Table {
    Table {
        oid: 1,
        name: TableName::new("public", "t"),
        bytes,
        pages: bytes / 8192,
        estimated_rows: -1,
        heap: true,
        rules: false,
        columns: Vec::new(),
        key: Vec::new(),
    }
}

fn placed(of_table: &[(usize, usize)], foreign: &[[usize; 2]]) -> Placed {
    let after = |(keys, indexes): &(usize, usize)| After {
        keys: vec![String::new(); *keys],
        indexes: vec![String::new(); *indexes],
    };
    Placed {
        of_table: of_table.iter().map(after).collect(),
        foreign: foreign.iter().map(|tables| Foreign { sql: String::new(), tables: *tables }).collect(),
        late: Vec::new(),
    }
}

/// One worker's whole way.
fn alone(mut work: Work) -> Vec<Task> {
    let mut all = Vec::new();
    while let Some(task) = work.next() {
        work.done(&task);
        all.push(task);
    }
    assert!(work.is_over() && work.all_moved());
    all
}

#[test]
fn the_pieces_of_a_table_cover_every_page_once() {
    let ranges: Vec<_> = pieces(&table(10 << 20), Some(3 << 20)).into_iter().flatten().collect();
    assert_eq!(ranges.len(), 4);
    assert_eq!(ranges[0].0, 0);
    assert!(ranges.windows(2).all(|two| two[0].1 == two[1].0));
    assert_eq!(ranges[3].1, 0xFFFF_FFFE);
    assert_eq!(pieces(&table(2 << 20), Some(3 << 20)), [None]);
    assert_eq!(pieces(&table(10 << 20), None), [None]);
}

#[test]
fn a_tables_indexes_come_right_after_its_rows_and_before_a_smaller_table() {
    let work = Work::new(&[table(9 << 20), table(2 << 20)], &placed(&[(1, 2), (1, 0)], &[[1, 0]]), &[true; 2], None);
    let expected = [
        Task::Rows(0, None),
        Task::Key(0, 0),
        Task::Index(0, 0),
        Task::Index(0, 1),
        Task::Analyze(0),
        Task::Rows(1, None),
        Task::Key(1, 0),
        Task::Analyze(1),
        Task::Foreign(0),
    ];
    assert_eq!(alone(work), expected);
}

#[test]
fn keys_wait_for_all_pieces_and_indexes_for_all_keys() {
    let mut work = Work::new(&[table(4 << 20)], &placed(&[(2, 1)], &[]), &[true], Some(3 << 20));
    let (one, other) = (work.next().unwrap(), work.next().unwrap());
    assert_eq!(work.next(), None);
    work.done(&one);
    assert_eq!(work.next(), None);
    assert!(!work.all_moved() && !work.is_over());
    work.done(&other);
    assert!(work.all_moved());
    assert_eq!(alone(work), [Task::Key(0, 0), Task::Key(0, 1), Task::Index(0, 0), Task::Analyze(0)]);
}

#[test]
fn small_tables_go_together() {
    let tables: Vec<_> = (0..70).map(|_| table(8192)).collect();
    let work = Work::new(&tables, &placed(&[(1, 1); 70], &[[69, 0]]), &[true; 70], None);
    let all = alone(work);
    assert_eq!(all.iter().filter(|task| matches!(task, Task::Together(_))).count(), 3);
    assert_eq!(all.last(), Some(&Task::Foreign(0)));
    assert_eq!(all.len(), 4);
}

#[test]
fn a_table_whose_rows_are_there_gets_only_what_is_built_on_it() {
    let work = Work::new(&[table(9 << 20)], &placed(&[(1, 0)], &[]), &[false], None);
    assert_eq!(alone(work), [Task::Key(0, 0), Task::Analyze(0)]);
}
